#!/usr/bin/env bash
# secrets.sh [FOLDER]: makes the secrets of deploy/compose.yaml in FOLDER (default .run/secrets), those that are not there yet. The
# folder is its owner's alone; the files are readable, because each container reads them as a user of its own.
set -euo pipefail
folder=${1:-$(dirname "${BASH_SOURCE[0]}")/../../.run/secrets}

mkdir -p "$folder"
chmod 700 "$folder"
# issuer_key has to be 32 bytes (64 hexadecimal digits), postern_seal 32 characters or more; the others are passwords.
for name in postern_seal redis_password postgres_password issuer_key grafana_password; do
    [[ -s $folder/$name ]] && continue
    od -An -N 32 -t x1 /dev/urandom | tr -d ' \n' >"$folder/$name.new"
    chmod 644 "$folder/$name.new"
    mv "$folder/$name.new" "$folder/$name"
done
