// The head of the page, the figures at a glance, and refusals.

const plots = {
  requests: new Plot("Requests a second", rateText),
  latency: new Plot("Duration of requests", durationText),
  l1: new Plot("Token cache, this process: look-ups a second", rateText),
  redis: new Plot("Token cache, Redis: look-ups a second", rateText),
};

const refusedIn = (status) => status.traffic.refused;
const tier = (status, name) => status.cache.tiers.find((each) => each.name === name);

function showHead(status) {
  const { service, process, configuration, health } = status;
  document.title = `${health.status === "ready" ? "" : "● "}${service} – Postern`;
  setText(byID("service"), service);
  const isReady = health.status === "ready";
  const node = byID("health");
  node.className = `badge ${isReady ? "good" : "bad"}`;
  if (node.textContent !== health.status) {
    if (node.textContent !== "loading") announce(`${service} is ${health.status}`);
    setText(node, health.status);
  }
  setText(byID("process"), `Postern ${process.version}, up ${spanText(process.uptime_seconds)}, `
    + `${plural(process.event_loops, "event loop")}, `
    + `configuration ${configuration.generation}, loaded ${spanText(process.now - configuration.loaded_at)} ago`);
  show(byID("missing"), ...health.missing.map((each) => element("li", {}, missingText(each))));
  showReload(configuration.reloads, process.now);
}

function missingText(missing) {
  switch (missing.part) {
    case "keys": return `No keys of issuer ${missing.issuer}: tokens of it cannot be verified.`;
    case "upstream": return `The service at ${missing.upstream} does not pass its health check.`;
    case "revocations": return "Revocations are not heard of, and an issuer requires that they are.";
    case "listeners": return "Not every listener is open yet.";
    case "draining": return "The process is shutting down.";
    default: return missing.part;
  }
}

function showReload(reloads, now) {
  const node = byID("reload");
  const { last } = reloads;
  if (!last) return show(node);
  const isRefused = last.result === "refused";
  node.className = `note ${isRefused ? "warn" : "muted"}`;
  const counts = `${reloads.applied} applied, ${reloads.refused} refused so far`;
  const sentence = `Last reload (${last.cause}) ${spanText(now - last.at)} ago: ${last.result}`
    + `${isRefused ? "; the configuration before it stays in force" : ""} (${counts}).`;
  const more = last.problem_count - last.problems.length;
  const lines = more > 0 ? [...last.problems, `and ${more} more`] : last.problems;
  show(node, element("p", {}, sentence), ...lines.map((line) => element("pre", {}, line)));
}

function showTiles(readings) {
  const status = readings.last;
  const { connections, cache, traffic } = status;
  const requests = readings.rate((each) => each.traffic.requests);
  const refused = readings.rate(refusedIn);
  const local = tier(status, "l1");
  const tiles = [
    ["Requests a second", rateText(requests), `${countText(traffic.requests)} so far`],
    ["Refused a second", rateText(refused), `${shareText(traffic.refused, traffic.requests)} of all`],
    ["p50", durationText(readings.percentile(0.5)), "of the last minute"],
    ["p99", durationText(readings.percentile(0.99)), "of the last minute"],
    ["Server errors (5xx)", countText(traffic.statuses["5xx"] ?? 0), "so far"],
    ["Client connections", countText(connections.downstream), `of ${countText(connections.limit)} allowed`],
    ["Service connections", countText(connections.upstream), `${countText(connections.waiting)} requests wait`],
    ["Tokens in the cache", countText(cache.entries), `${shareText(local.hit, local.hit + local.miss)} hits`],
    ["Open tunnels", countText(status.tunnels), "WebSockets and the like"],
    ["Spoofed identity headers", countText(traffic.spoofed_headers), "requests; all were stripped"],
  ];
  byID("tiles").replaceChildren(...tiles.map(([name, value, aside]) => element("div", {},
    element("dt", {}, name), element("dd", {}, value), element("dd", { class: "aside" }, aside))));
}

function showPlots(readings) {
  const { span } = readings;
  const line = (name, count) => ({ name, values: readings.rates(count), text: rateText(readings.rate(count)) });
  plots.requests.draw([line("permitted", (each) => each.traffic.permitted), line("refused", refusedIn)], span);
  const quantile = (name, share) => (
    { name, values: readings.percentiles(share), text: durationText(readings.percentile(share)) });
  plots.latency.draw([quantile("p50", 0.5), quantile("p99", 0.99)], span);
  const used = [plots.requests, plots.latency, plots.l1];
  const look = (name, result) => line(result, (each) => tier(each, name)?.[result] ?? 0);
  plots.l1.draw([look("l1", "hit"), look("l1", "miss"), look("l1", "negative")], span);
  if (tier(readings.last, "redis")) {
    plots.redis.draw([look("redis", "hit"), look("redis", "miss"), look("redis", "error")], span);
    used.push(plots.redis);
  }
  const figures = used.map((plot) => plot.figure);
  if (byID("plots").childElementCount !== figures.length) byID("plots").replaceChildren(...figures);
}

function showRefusals(readings) {
  const { refusals, refused } = readings.last.traffic;
  if (refusals.length === 0) {
    return byID("refusals").replaceChildren(element("p", { class: "muted" }, "Nothing was refused so far."));
  }
  const countOf = (code) => (each) => each.traffic.refusals.find((one) => one.code === code)?.count ?? 0;
  const rows = [...refusals].sort((left, right) => right.count - left.count).map(({ code, status, count }) =>
    element("tr", {}, element("th", { scope: "row", class: "code" }, code), numberCell(status ?? ""),
      numberCell(countText(count)), numberCell(rateText(readings.rate(countOf(code)))),
      element("td", {}, element("meter", { min: 0, max: refused, value: count, "aria-label": `share of ${code}` }))));
  byID("refusals").replaceChildren(tableOf(
    [["Code"], ["Status", "number"], ["So far", "number"], ["Per second", "number"], ["Share"]], rows));
}
