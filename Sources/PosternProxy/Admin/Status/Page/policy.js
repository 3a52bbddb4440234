// The policy as a table that can be searched, each route with its counters.

/** Rows that are shown at a time: a table of ten thousand helps nobody. */
const ROWS = 250;

const policy = { routes: [], fallback: null, texts: [] };

function takePolicy(given) {
  policy.routes = given.routes;
  policy.fallback = given.default;
  policy.texts = given.routes.map((route) =>
    [route.methods, route.path, route.needs, route.access, ...route.overrides].join(" ").toLowerCase());
}

/** A route's counters now, and its requests a second over the window. */
function countersOf(readings) {
  const table = (status) => new Map(status.routes.map((each) => [each.route, each]));
  const now = table(readings.last);
  const before = table(readings.base);
  return (route) => {
    const counts = now.get(route) ?? { requests: 0, refused: 0, statuses: {}, refusals: {} };
    const seconds = readings.last.process.uptime_seconds - readings.base.process.uptime_seconds;
    const grown = counts.requests - (before.get(route)?.requests ?? 0);
    return { ...counts, failed: counts.statuses["5xx"] ?? 0, rate: seconds > 0 ? grown / seconds : null };
  };
}

function showPolicy(readings) {
  const words = byID("search").value.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const counters = countersOf(readings);
  const found = policy.routes.filter((_, index) => words.every((word) => policy.texts[index].includes(word)))
    .map((route) => ({ route, counts: counters(route.route) }));
  const order = byID("order").value;
  if (order !== "file") found.sort((left, right) => right.counts[order] - left.counts[order]);
  byID("routes").replaceChildren(...found.slice(0, ROWS).map(({ route, counts }) => routeRow(route, counts)));
  const total = `${countText(found.length)} of ${plural(policy.routes.length, "route")}`;
  setText(byID("matches"), found.length > ROWS ? `${total}, the first ${ROWS} are shown` : total);
  byID("others").replaceChildren(
    routeRow({ methods: "ANY", path: "(not declared)", needs: policy.fallback?.needs ?? "", overrides: [] },
      counters("default")),
    routeRow({ methods: "", path: "(came to no route)", needs: "", overrides: [] }, counters("none")));
}

function routeRow(route, counts) {
  const reasons = Object.entries(counts.refusals).map(([code, count]) => `${code} ${countText(count)}`).join(", ");
  const overrides = route.overrides.join(", ");
  return element("tr", {},
    element("td", { class: "code" }, route.methods.split("|").join(" ")),
    element("th", { scope: "row", class: "code" }, route.path),
    element("td", {}, route.needs, overrides === "" ? null : element("small", {}, overrides)),
    numberCell(countText(counts.requests)), numberCell(rateText(counts.rate)),
    element("td", { class: "number" }, countText(counts.refused), reasons === "" ? null : element("small", {}, reasons)),
    numberCell(countText(counts.failed)));
}
