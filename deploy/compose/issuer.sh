#!/usr/bin/env bash
# issuer.sh run | setup: postern-issuer with its secrets from files, which are not left in a command line or a manifest.
#
# SECRETS: the folder of issuer_key, postgres_password, redis_password      CLIENTS: where `setup` leaves NAME/secret
# ALLOWED_IPS: from where mt5-api-service may ask for tokens                Everything else: POSTERN_ISSUER_…
set -euo pipefail
umask 077

POSTERN_ISSUER_KEY=$(<"$SECRETS/issuer_key")
export POSTERN_ISSUER_KEY
if [[ $POSTERN_ISSUER_STORE == postgres* ]]; then
    POSTERN_ISSUER_STORE_PASSWORD=$(<"$SECRETS/postgres_password")
    export POSTERN_ISSUER_STORE_PASSWORD
fi

# keep NAME COMMAND…: the secret that the command prints goes into the file NAME/secret.
keep() {
    local folder=$CLIENTS/$1 answer secret
    shift
    answer=$("$@") || return
    secret=$(sed -n 's/.*client_secret[=": ]*\([A-Za-z0-9_-]*\).*/\1/p' <<<"$answer")
    [[ -n $secret ]] || return
    mkdir -p "$folder"
    printf '%s' "$secret" >"$folder/secret.new"
    mv "$folder/secret.new" "$folder/secret"
}

# client NAME OPTION…: registers it unless its secret is known. A setup that was broken off between the two has left a client
# whose secret nobody knows: it gets a new one.
client() {
    local name=$1
    if [[ -s $CLIENTS/$name/secret ]]; then return; fi
    if postern-issuer client show "$name" >/dev/null 2>&1; then
        keep "$name" postern-issuer client rotate-secret "$name"
    else
        keep "$name" postern-issuer client create "$@"
    fi
}

scopes() {
    local scope
    for scope in "$@"; do printf -- '--scope\n%s\n' "$scope"; done
}

# The clients of the reference deployment, and a person who may log in.
setup() {
    local folder=$CLIENTS/alice
    if ! postern-issuer client list >/dev/null 2>&1; then keep admin postern-issuer bootstrap; fi
    client admin
    mapfile -t service < <(scopes trade:open trade:close trade:modify account:read account:balance market:data service:mt5)
    mapfile -t dashboard < <(scopes read:profile write:profile trade:read trade:open account:read market:data)
    client mt5-api-service --name "MT5 API" --is-trusted true --access-token-lifetime 3600 --rate-limit-per-minute 300 \
        --rate-limit-per-hour 10000 --allowed-ips "$ALLOWED_IPS" "${service[@]}"
    client trading-dashboard --name "Trading dashboard" --access-token-lifetime 1800 --rate-limit-per-minute 120 \
        --rate-limit-per-hour 5000 "${dashboard[@]}"
    mkdir -p "$folder"
    if [[ ! -s $folder/secret ]]; then od -An -N 18 -t x1 /dev/urandom | tr -d ' \n' >"$folder/secret"; fi
    if ! postern-issuer user show alice >/dev/null 2>&1; then
        postern-issuer user create alice --email alice@example.com --email-verified true \
            --permission read:profile --permission write:profile --permission account:balance <"$folder/secret" >/dev/null
    fi
}

case ${1:-} in
setup) setup ;;
run)
    POSTERN_ISSUER_REDIS_PASSWORD=$(<"$SECRETS/redis_password")
    export POSTERN_ISSUER_REDIS_PASSWORD
    exec postern-issuer run
    ;;
*)
    echo "usage: issuer.sh run|setup" >&2
    exit 64
    ;;
esac
