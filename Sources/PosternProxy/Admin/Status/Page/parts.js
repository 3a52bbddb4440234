// What the proxy depends on: issuers, the service, Redis, revocations.

function showParts(status) {
  const rows = [
    ...status.issuers.map(issuerRow), ...status.upstreams.map(upstreamRow), redisRow(status.redis),
    revocationRow(status.revocations),
  ];
  byID("parts").replaceChildren(tableOf([["Part"], ["Name"], ["State"], ["Details"]], rows));
}

function partRow(part, name, state, details, aside = null) {
  return element("tr", {}, element("th", { scope: "row" }, part),
    element("td", { class: "code" }, name, aside && element("small", {}, aside)),
    element("td", {}, state), element("td", {}, details));
}

function issuerRow(issuer) {
  return partRow("Issuer", issuer.name, issuerState(issuer), issuerDetails(issuer), issuer.issuer ?? "any other iss");
}

function issuerState({ keys, introspection }) {
  if (introspection) return introspection.circuit === "open" ? badge("not asked: it fails", "bad") : badge("asked", "good");
  if (!keys) return badge("keys at hand", "good");
  if (!keys.present) return badge("no keys", "bad");
  return keys.failures_in_a_row > 0 ? badge("keys, not refreshed", "warn") : badge("keys fresh", "good");
}

function issuerDetails({ keys, introspection, validation, revocation }) {
  const words = [validation];
  if (keys) {
    words.push(keys.age_seconds === null ? "never refreshed" : `last refresh ${spanText(keys.age_seconds)} ago`);
    words.push(`refreshed ${plural(keys.refreshes, "time")}, ${plural(keys.failures, "failure")}`);
  }
  if (introspection) {
    words.push(`${countText(introspection.under_way)} under way`);
    const results = Object.entries(introspection.results).filter(([, count]) => count > 0);
    words.push(...results.map(([result, count]) => `${result} ${countText(count)}`));
  }
  if (revocation !== "off") words.push(`revocation ${revocation}`);
  return words.join(", ");
}

function upstreamRow(upstream) {
  const { healthy, trouble } = upstream;
  const state = healthy === false || (healthy === null && trouble) ? badge(trouble ? "unreachable" : "not well", "bad")
    : trouble ? badge("trouble", "warn") : healthy ? badge("well", "good") : badge("no trouble", "good");
  const words = healthy === null ? ["no health check"]
    : [`${plural(upstream.checks, "check")} passed, ${countText(upstream.failed_checks)} failed`];
  if (trouble) words.push(trouble);
  return partRow("Service", upstream.url, state, words.join(", "));
}

function redisRow(redis) {
  if (redis === null) return partRow("Redis", "–", badge("not configured", "muted"), "each process caches alone");
  const state = redis.up === null ? badge("not tried yet", "warn") : redis.up ? badge("up", "good") : badge("down", "bad");
  return partRow("Redis", redis.url, state, redis.up === false ? "requests go on with the local cache and the issuers" : "");
}

function revocationRow(revocations) {
  if (revocations === null) return partRow("Revocations", "–", badge("not used", "muted"), "no issuer has them on");
  const count = `${countText(revocations.count)} hold`;
  if (revocations.up) return partRow("Revocations", "–", badge("heard of", "good"), count);
  const state = revocations.known ? badge("not heard of", "warn") : badge("unknown", "bad");
  return partRow("Revocations", "–", state, `${count}, for ${spanText(revocations.down_seconds)}`);
}
