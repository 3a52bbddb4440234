# shellcheck shell=bash
# The proof of `make run`: a token, a call that is let in and one that is refused, and with Redis a revocation, over real
# sockets. Sourced by run.sh.

issuer=http://127.0.0.1:8000
proxy=http://127.0.0.1:8080
client_id=trading-dashboard

# A new secret for each run: none is written into the repository, and the store starts afresh as well. The issuer takes
# it from the environment in dev mode alone.
client_secret=$(od -An -N 24 -t x1 /dev/urandom | tr -d ' \n')
export POSTERN_ISSUER_DEV_SECRET_TRADING_DASHBOARD=$client_secret

# request ARGUMENTS…: the answer's body in $body, its status in $status.
request() {
    local answer
    answer=$(curl --noproxy '*' --silent --show-error --max-time 10 --write-out '\n%{http_code}' "$@") ||
        fail "no answer from ${*: -1}"
    status=${answer##*$'\n'}
    body=${answer%$'\n'*}
}

# member NAME: the string member of that name in $body.
member() {
    sed -n "s/.*\"$1\" *: *\"\\([^\"]*\\)\".*/\\1/p" <<<"$body" | head -n 1
}

# expect WHAT STATUS TEXT: the last answer had that status, and its body has TEXT in it.
expect() {
    if [[ $status != "$2" || $body != *"$3"* ]]; then
        say "$body" >&2
        fail "$1: expected $2 with '$3', got $status"
    fi
}

prove() {
    local token
    request --data "client_id=$client_id" --data "client_secret=$client_secret" "$issuer/api/v1/auth/service-token"
    token=$(member access_token)
    expect "a token for $client_id" 200 '"access_token"'
    say "  token:   POST /api/v1/auth/service-token → $status, scopes: $(member scope)"

    # The forged header shows that only Postern says who the caller is.
    request --header "Authorization: Bearer $token" --header 'X-User-Id: forged' "$proxy/api/v1/trades"
    expect "an allowed call" 200 "$client_id"
    [[ $body != *forged* ]] || fail "an allowed call: a forged X-User-Id reached the service"
    say "  allowed: GET /api/v1/trades → $status, the service saw the caller $client_id"

    request --request DELETE --header "Authorization: Bearer $token" "$proxy/api/v1/trades/700001"
    expect "a refused call" 403 insufficient_scope
    say "  refused: DELETE /api/v1/trades/700001 → $status $(member code): $(member detail)"

    if [[ -n $redis_url ]]; then prove_revocation "$token"; fi
}

# prove_revocation TOKEN: it was good until now. Redis carries the word in a moment; slow machines are given 5 s.
prove_revocation() {
    local tries
    request --data "client_id=$client_id" --data "client_secret=$client_secret" --data "token=$1" "$issuer/oauth/revoke"
    expect "a revocation" 200 ''
    for ((tries = 0; tries < 50; tries++)); do
        request --header "Authorization: Bearer $1" "$proxy/api/v1/trades"
        [[ $status == 200 ]] || break
        sleep 0.1
    done
    expect "a call with a revoked token" 401 invalid_token
    say "  revoked: POST /oauth/revoke → 200, and GET /api/v1/trades with that token → $status $(member code)"
}

print_commands() {
    cat <<EOF

Try it in another terminal. A token:

  TOKEN=\$(curl -s $issuer/api/v1/auth/service-token -d client_id=$client_id -d client_secret=$client_secret | sed 's/.*"access_token" *: *"\\([^"]*\\)".*/\\1/')

An allowed call; "caller" in the answer holds the X-User headers that the service saw:

  curl -s -H "Authorization: Bearer \$TOKEN" $proxy/api/v1/trades

A refused call, which says what is missing:

  curl -si -X DELETE -H "Authorization: Bearer \$TOKEN" $proxy/api/v1/trades/700001

EOF
    if [[ -z $redis_url ]]; then return 0; fi
    cat <<EOF
Revoking the token, after which it is refused everywhere:

  curl -si $issuer/oauth/revoke -d client_id=$client_id -d client_secret=$client_secret -d token=\$TOKEN

EOF
}
