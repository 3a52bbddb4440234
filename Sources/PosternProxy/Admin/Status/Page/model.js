"use strict";
// What is computed of the numbers that the process gives: it counts since its start, the page makes rates of that.

/** Samples that are kept, and seconds that the figures beside the plots stand for. */
const SAMPLES = 150;
const WINDOW = 60;

/** Documents of /status.json, oldest first, all of one process. */
class Readings {
  constructor() {
    this.samples = [];
  }

  /** Takes a document; those of another process (one that started later, or has counted less) are forgotten. */
  add(status) {
    const last = this.last;
    const isOther = last && (status.process.uptime_seconds < last.process.uptime_seconds
      || status.traffic.requests < last.traffic.requests || status.service !== last.service);
    if (isOther) this.samples = [];
    this.samples.push(status);
    if (this.samples.length > SAMPLES) this.samples.shift();
  }

  get last() {
    return this.samples[this.samples.length - 1];
  }

  /** The newest sample that is a whole window older than the last; the oldest where none is. */
  get base() {
    const until = this.last.process.uptime_seconds - WINDOW;
    return this.samples.findLast((each) => each.process.uptime_seconds <= until) ?? this.samples[0];
  }

  /** How much `count` grows a second over the window; null while there is one sample. */
  rate(count) {
    return rateBetween(this.base, this.last, count);
  }

  /** For each sample but the first how much `count` grew a second since the one before. */
  rates(count) {
    return this.samples.slice(1).map((each, index) => rateBetween(this.samples[index], each, count));
  }

  /** A percentile of durations over the window in seconds; null without a request in it. */
  percentile(share) {
    return percentileBetween(this.base, this.last, share);
  }

  /** The same between each two samples. */
  percentiles(share) {
    return this.samples.slice(1).map((each, index) => percentileBetween(this.samples[index], each, share));
  }

  /** Seconds from the first sample to the last. */
  get span() {
    return this.samples.length < 2 ? 0 : this.last.process.uptime_seconds - this.samples[0].process.uptime_seconds;
  }
}

function rateBetween(before, after, count) {
  const seconds = after.process.uptime_seconds - before.process.uptime_seconds;
  return seconds > 0 ? Math.max(0, count(after) - count(before)) / seconds : null;
}

function percentileBetween(before, after, share) {
  const { bounds_seconds: bounds, requests } = after.traffic.latency;
  const old = before === after ? requests.map(() => 0) : before.traffic.latency.requests;
  return percentile(bounds, requests.map((count, index) => count - old[index]), share);
}

/** A percentile of a histogram: within a bucket evenly spread, above the last bound infinite. */
function percentile(bounds, counts, share) {
  const total = counts.reduce((sum, each) => sum + each, 0);
  if (total <= 0) return null;
  let rank = share * total;
  for (const [index, count] of counts.entries()) {
    if (count > 0 && rank <= count) {
      if (index === bounds.length) return Infinity;
      const low = index === 0 ? 0 : bounds[index - 1];
      return low + (bounds[index] - low) * (rank / count);
    }
    rank -= count;
  }
  return Infinity;
}

// Words for numbers.

function rateText(value) {
  if (value === null) return "–";
  return value >= 100 ? Math.round(value).toLocaleString("en") : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function durationText(seconds) {
  if (seconds === null) return "–";
  if (seconds === Infinity) return "> 10 s";
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  const milliseconds = seconds * 1000;
  return `${milliseconds.toFixed(milliseconds >= 10 ? 0 : 2)} ms`;
}

/** The two largest units: `45s`, `12m 3s`, `2h 5m`, `3d 4h`. */
function spanText(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const units = [[Math.floor(whole / 86400), "d"], [Math.floor(whole / 3600) % 24, "h"], [Math.floor(whole / 60) % 60, "m"],
    [whole % 60, "s"]];
  const first = units.findIndex(([count]) => count > 0);
  if (first < 0) return "0s";
  return units.slice(first, first + 2).filter(([count]) => count > 0).map(([count, unit]) => count + unit).join(" ");
}

function countText(count) {
  return count.toLocaleString("en");
}

/** `1 route`, `2 routes`. */
function plural(count, noun) {
  return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function shareText(part, whole) {
  return whole > 0 ? `${(100 * part / whole).toFixed(1)} %` : "–";
}

function sum(values) {
  return values.reduce((total, each) => total + each, 0);
}
