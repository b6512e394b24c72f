"use strict";

const REFRESH_MS = 5000;
// An hourly station is on time for an hour; two missed reports make it stale.
const STALE_S = 2.5 * 3600;
const FLAGS = { 3: "suspect", 4: "bad" };
const ROWS = [
  ["Dew point", "dew_point_c", 1],
  ["Humidity", "relative_humidity_pct", 0],
  ["Pressure", "air_pressure_hpa", 1],
  ["Pressure at sea level", "air_pressure_at_sea_level_hpa", 1],
  ["Wind", "wind_speed_mps", 1],
  ["Gust", "wind_gust_mps", 1],
  ["Rain", "precipitation_mm", 1],
];
const UNITS = { degC: "°C", "m s-1": "m/s", degree: "°" };

const byId = (id) => document.getElementById(id);
const region = byId("region");

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function age(time) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

function arrow(direction) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  path.setAttribute("d", "M12 2 L19 21 L12 16.5 L5 21 Z");
  // The direction is where the wind comes from; the arrow flies with it.
  path.setAttribute("transform", `rotate(${direction + 180} 12 12)`);
  svg.append(path);
  return svg;
}

function reading(variable, digits, unit) {
  const shown = element("span", `${variable.value.toFixed(digits)} ${UNITS[unit] || unit}`);
  if (FLAGS[variable.flag]) {
    shown.className = FLAGS[variable.flag];
    shown.title = `flagged ${FLAGS[variable.flag]}`;
  }
  return shown;
}

function card(station, units) {
  const made = element("article");
  const told = station.variables;
  const title = element("h2");
  const name = element("span", station.station_id);
  name.title = station.station_id;
  const time = element("time", age(station.observed_at));
  time.title = station.observed_at;
  title.append(name, time);
  made.append(title, element("div", station.region, "region"));
  made.classList.toggle("stale", Date.now() - Date.parse(station.observed_at) > STALE_S * 1000);
  const temperature = told.air_temperature_c;
  const big = element("div", undefined, "temperature");
  big.append(temperature ? reading(temperature, 1, units.air_temperature_c) : "–");
  if (temperature) made.style.setProperty("--warmth", warmth(temperature.value));
  const list = element("ul");
  for (const [label, variable, digits] of ROWS.filter(([, variable]) => told[variable])) {
    const row = element("li");
    const value = reading(told[variable], digits, units[variable]);
    const direction = told.wind_from_direction_deg;
    if (variable === "wind_speed_mps" && direction) value.prepend(arrow(direction.value), " ");
    row.append(element("span", label), value);
    list.append(row);
  }
  made.append(big, list);
  return made;
}

/** Blue at -10 °C, green around 15, red from 40. */
function warmth(celsius) {
  const share = Math.min(1, Math.max(0, (celsius + 10) / 50));
  return `hsl(${Math.round(225 - 225 * share)} 70% 50%)`;
}

function drawStream(stream) {
  const badge = byId("state");
  badge.textContent = stream.state;
  badge.className = `badge ${stream.state}`;
  const facts = [
    ["lag", stream.lag_records === null ? "–" : `${stream.lag_records.toLocaleString("en")} records`],
    ["last batch", stream.last_batch_at ? `${age(stream.last_batch_at)} ago` : "–"],
    ["watermark", stream.watermark ? stream.watermark.replace("T", " ").slice(0, 19) : "–"],
    ["epoch", stream.epoch ?? "–"],
  ];
  byId("facts").replaceChildren(...facts.map(([name, value]) => {
    const pair = element("div");
    pair.append(element("dt", name), element("dd", value));
    return pair;
  }));
}

function drawRegions(regions) {
  const names = ["", ...regions];
  if (names.length === region.options.length) return;
  const chosen = region.value;
  region.replaceChildren(...names.map((name) => {
    const option = element("option", name || "all");
    option.value = name;
    return option;
  }));
  region.value = names.includes(chosen) ? chosen : "";
}

function drawAlerts(alerts, total, units) {
  const shown = alerts.map((alert) => {
    const unit = alert.variable ? units[alert.variable] : "min";
    const text = `${alert.rule.replaceAll("_", " ")} · ${alert.station_id} · ${age(alert.event_at)}`;
    const entry = element("li", text, `${alert.severity} ${alert.alert_state}`);
    entry.title = `${alert.event_at}, up to ${alert.peak_value.toFixed(1)} ${UNITS[unit] || unit}, ${alert.alert_state}`;
    return entry;
  });
  if (total > alerts.length) shown.push(element("li", `and ${total - alerts.length} more`, "minor"));
  byId("alerts").replaceChildren(...shown);
  byId("alerts").hidden = !shown.length;
}

function tell(problem) {
  byId("problem").textContent = problem || "";
  byId("problem").hidden = !problem;
}

async function refresh() {
  const query = region.value ? `?region=${encodeURIComponent(region.value)}` : "";
  try {
    const answer = await fetch(`state${query}`);
    if (!answer.ok) throw new Error(answer.status === 401 ? "log in again" : `answer ${answer.status}`);
    const state = await answer.json();
    drawStream(state.stream);
    if (state.regions.length) drawRegions(state.regions);
    drawAlerts(state.alerts, state.alerts_total, state.units);
    byId("stations").replaceChildren(...state.stations.map((station) => card(station, state.units)));
    const shown = state.stations.length;
    byId("count").textContent = state.total > shown ? `${shown} of ${state.total} stations.` : `${shown} stations.`;
    tell(state.problem);
  } catch (error) {
    tell(`The state could not be read: ${error.message}.`);
  }
}

region.addEventListener("change", refresh);
setInterval(() => document.hidden || refresh(), REFRESH_MS);
refresh();
