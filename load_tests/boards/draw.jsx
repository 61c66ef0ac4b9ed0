// Draws a board with Grafana's own components: `told.board` is a committed file, `told.asked` what Prometheus answered.
import {
  createTheme, dateTime, EventBusSrv, FieldColorModeId, FieldType, getDisplayProcessor, ThemeContext,
} from "@grafana/data";
import { BigValue, GlobalStyles, PanelChrome, PanelContextProvider, TimeSeries } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import { createRoot } from "react-dom/client";
import "uplot/dist/uPlot.min.css";

const theme = createTheme({ colors: { mode: "dark" } });
// `step`: milliseconds between two points; a longer gap is a hole in the line.
const { board, asked, from, to, step } = window.told;
const range = { from: dateTime(from), to: dateTime(to), raw: { from: dateTime(from), to: dateTime(to) } };
// Grafana's grid: 24 columns, cells of 30 pixels, 8 between them.
const WIDTH = 1600, GAP = 8, CELL = 30, COLUMN = (WIDTH - 23 * GAP) / 24;

function named(legend, labels) {
  if (legend) return legend.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, name) => labels[name] ?? name);
  const text = Object.entries(labels).filter(([name]) => name !== "__name__").map(([name, value]) => `${name}="${value}"`);
  return text.length ? `{${text.join(", ")}}` : (labels.__name__ ?? "Value");
}

// Prometheus says NaN where there is nothing to divide, which Grafana does not draw.
const number = (text) => (Number.isNaN(Number(text)) ? null : Number(text));

function field(panel, name, type, values, place = 0) {
  const { defaults } = panel.fieldConfig;
  const color = defaults.color ?? { mode: panel.type === "timeseries" ? FieldColorModeId.PaletteClassic : FieldColorModeId.Thresholds };
  const made = {
    name, type, values, labels: undefined,
    config: { ...(type === FieldType.time ? { interval: step } : defaults), color, displayName: name, custom: { ...defaults.custom } },
    state: { seriesIndex: place },
  };
  made.display = getDisplayProcessor({ field: made, theme, timeZone: "utc" });
  return made;
}

// One frame a series, as Prometheus' data source makes them.
function frames(panel) {
  let place = 0;
  return panel.targets.flatMap((target) =>
    (asked[panel.id][target.refId] ?? []).map((series) => {
      const points = series.values ?? [series.value];
      return {
        length: points.length,
        fields: [
          field(panel, "Time", FieldType.time, points.map(([seconds]) => seconds * 1000)),
          field(panel, named(target.legendFormat, series.metric), FieldType.number, points.map(([, value]) => number(value)), place++),
        ],
      };
    }),
  );
}

function table(panel) {
  const [target] = panel.targets;
  const found = asked[panel.id][target.refId] ?? [];
  const [{ options }] = panel.transformations;
  const columns = [...new Set(found.flatMap((series) => Object.keys(series.metric)))].sort();
  const order = options.indexByName ?? {};
  return {
    length: found.length,
    fields: columns
      .filter((name) => !options.excludeByName[name])
      .sort((one, other) => (order[one] ?? 99) - (order[other] ?? 99))
      .map((name) => {
        const shown = options.renameByName?.[name] ?? name;
        return field(panel, shown, FieldType.string, found.map((series) => series.metric[name] ?? ""));
      }),
  };
}

function Inside({ panel, width, height }) {
  if (panel.type === "table") {
    const data = table(panel);
    return data.fields.length ? <TableNG data={data} cellHeight="sm" structureRev={1} width={width} height={height} /> : <Empty />;
  }
  const found = frames(panel);
  if (!found.length) return <Empty />;
  if (panel.type === "timeseries") {
    return <TimeSeries frames={found} width={width} height={height} timeRange={range} timeZone="utc" legend={panel.options.legend} />;
  }
  const each = width / found.length;
  return (
    <div style={{ display: "flex" }}>
      {found.map((frame) => {
        const value = frame.fields[1];
        const shown = { ...value.display(value.values.at(-1)), title: value.config.displayName };
        const { colorMode, graphMode, textMode, justifyMode } = panel.options;
        // With `auto`, Grafana names values only where there are several.
        const mode = (textMode ?? "auto") === "auto" && found.length === 1 ? "value" : textMode;
        return (
          <BigValue key={shown.title} value={shown} width={each} height={height} theme={theme} textMode={mode}
            colorMode={colorMode} graphMode={graphMode} justifyMode={justifyMode} count={found.length} />
        );
      })}
    </div>
  );
}

const Empty = () => <div data-empty style={{ display: "grid", height: "100%", placeItems: "center", opacity: 0.6 }}>No data</div>;

function Panel({ panel }) {
  const { x, y, w, h } = panel.gridPos;
  const at = { position: "absolute", left: x * (COLUMN + GAP), top: y * (CELL + GAP) };
  const width = w * COLUMN + (w - 1) * GAP, height = h * CELL + (h - 1) * GAP;
  if (panel.type === "row") return <h2 style={{ ...at, fontSize: 16, lineHeight: `${CELL}px` }}>⌄ {panel.title}</h2>;
  return (
    <div style={at} data-panel={panel.title}>
      <PanelChrome title={panel.title} description={panel.description} width={width} height={height}>
        {(innerWidth, innerHeight) => <Inside panel={panel} width={innerWidth} height={innerHeight} />}
      </PanelChrome>
    </div>
  );
}

const context = { eventsScope: "global", eventBus: new EventBusSrv() };
const deep = Math.max(...board.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
createRoot(document.getElementById("root")).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <PanelContextProvider value={context}>
      <div style={{ padding: 16, width: WIDTH + 32 }}>
        <h1 style={{ fontSize: 20 }}>{board.title}</h1>
        <p style={{ opacity: 0.7 }}>{board.description}</p>
        <div style={{ position: "relative", height: deep * (CELL + GAP) }}>
          {board.panels.map((panel) => <Panel key={panel.id} panel={panel} />)}
        </div>
      </div>
    </PanelContextProvider>
  </ThemeContext.Provider>,
);
