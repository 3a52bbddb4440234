# shellcheck shell=bash
# The Redis of `make run`, if one answers: it carries revocations from the issuer to Postern. Sourced by run.sh.

# Where it is looked for: HOST:PORT, or `none` to run without.
redis=${POSTERN_RUN_REDIS:-127.0.0.1:6379}
# The URL of the one that is used; empty without.
redis_url=
# Postern's configuration: the repository's file, or that with Redis put in.
config=proxy.yaml

if [[ $redis != none && ! $redis =~ ^[A-Za-z0-9.-]+:[0-9]+$ ]]; then
    fail "POSTERN_RUN_REDIS is HOST:PORT or none"
fi

# What is said there to PING, in one line; nothing if nobody answers within 2 s.
redis_answer() {
    # shellcheck disable=SC2016
    timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1" && printf "PING\r\n" >&3 && IFS= read -r -u 3 line && echo "$line"' \
        "${redis%:*}" "${redis##*:}" 2>/dev/null | tr -d '\r' || true
}

# Sets redis_url, and says what that means.
find_redis() {
    local answer=
    [[ $redis == none ]] || answer=$(redis_answer)
    case $redis/$answer in
    none/*) say "Runs without Redis, as POSTERN_RUN_REDIS says." ;;
    */+PONG)
        redis_url=redis://$redis
        say "Redis on $redis is used for revocations."
        return
        ;;
    */-NOAUTH*) say "Runs without Redis: the one on $redis asks for a password." ;;
    *) say "Runs without Redis: none answers on $redis (POSTERN_RUN_REDIS=HOST:PORT names another)." ;;
    esac
    say "Missing without it: revocation. A token that is revoked stays good until it expires."
}

# Writes the configuration with Redis. The key that seals cache entries is new for each run, like the secrets.
write_configuration() {
    [[ -n $redis_url ]] || return 0
    config=.run/proxy.yaml
    {
        sed 's/^    issuer: .*/&\n    revocation: redis/' proxy.yaml
        printf '\nredis:\n  url: %s\n  seal: %s\n' "$redis_url" "$(od -An -N 32 -t x1 /dev/urandom | tr -d ' \n')"
    } >"$config"
}
