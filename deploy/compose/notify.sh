#!/bin/sh
# The MT5 API's service client, every NOTIFY_EVERY seconds: looks at the account's balance through the MT5 API's Postern, and sends a
# notification through the notification service's. One service token serves for both until it is refused. Runs until it is stopped.
#
# CLIENT_SECRET: the file with the secret of mt5-api-service      ISSUER_URL, MT5_URL, NOTIFICATION_URL
set -u
token=

say() {
    printf 'mt5-notifier: %s\n' "$*"
}

# Sets $token; false if the issuer gives none.
new_token() {
    token=$(curl -sS --fail --max-time 10 --data-urlencode client_id=mt5-api-service \
        --data-urlencode "client_secret@$CLIENT_SECRET" "$ISSUER_URL/api/v1/auth/service-token" |
        sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p')
    [ -n "$token" ]
}

# call URL ARGUMENTS…: the answer's body, then its status on a line of its own. The token goes by standard input, not by the list of
# processes.
call() {
    url=$1
    shift
    printf 'header = "Authorization: Bearer %s"\n' "$token" |
        curl -sS --max-time 10 --config - --write-out '\n%{http_code}' "$@" "$url"
}

status() {
    printf '%s\n' "$1" | tail -n 1
}

# One round; 1 if it has to be tried again with a new token.
notify() {
    answer=$(call "$MT5_URL/api/v1/account/balance")
    if [ "$(status "$answer")" = 200 ]; then
        equity=$(printf '%s' "$answer" | sed -n 's/.*"equity" *: *\([0-9.]*\).*/\1/p')
        answer=$(call "$NOTIFICATION_URL/api/v1/notifications" --header 'Content-Type: application/json' --data \
            "{\"to\": \"alice\", \"medium\": \"push\", \"subject\": \"Your equity\", \"text\": \"$equity\"}")
    fi
    say "$(printf '%s' "$answer" | tr -d '\n' | cut -c 1-300) ($(status "$answer"))"
    [ "$(status "$answer")" != 401 ]
}

# `sleep` would keep a shell from hearing SIGTERM until it ends.
trap 'exit 0' TERM INT
while :; do
    if [ -n "$token" ] || new_token; then
        if ! notify && new_token; then notify; fi
    else
        say "no token from $ISSUER_URL"
    fi
    sleep "$NOTIFY_EVERY" &
    wait $!
done
