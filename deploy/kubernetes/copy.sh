#!/usr/bin/env bash
# copy.sh [TARGET]: what kustomize may not read outside of its folder is copied into this one (or into TARGET): the policies, the alert
# rules, the set-up of the issuer. To be run when one of them was changed; a test says when it was not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${1:-kubernetes}

for service in mt5 account notification; do
    cp "policies/$service.yaml" "$target/$service/proxy.yaml"
done
cp compose/issuer.sh "$target/issuer/issuer.sh"
{
    printf '# A copy of deploy/prometheus/postern.rules.yaml, made by copy.sh.\n'
    printf 'apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: postern\nspec:\n'
    sed -n '/^groups:/,$ s/^\(.\)/  \1/p; /^groups:/,$ s/^$//p' prometheus/postern.rules.yaml
} >"$target/components/monitoring/rules.yaml"
