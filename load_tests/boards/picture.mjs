// Makes a PNG of each board in FOLDER: node picture.mjs MODULES CHROMIUM FOLDER
import { createRequire } from "node:module";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [modules, chromium, folder] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), "boards-"));
const need = createRequire(`${modules}/`);
await need("esbuild").build({
  entryPoints: [fileURLToPath(new URL("draw.jsx", import.meta.url))],
  bundle: true, minify: true, format: "iife", jsx: "automatic", outfile: join(profile, "draw.js"),
  nodePaths: [join(modules, "node_modules")],
  define: { "process.env.NODE_ENV": '"production"', global: "window" },
  loader: { ".svg": "dataurl", ".woff2": "dataurl", ".ttf": "dataurl" },
  logLevel: "error",
});
const browser = await need("playwright-core").chromium.launchPersistentContext(profile, {
  executablePath: chromium,
  viewport: { width: 1632, height: 900 },
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const drawn = {};
try {
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".json")).sort()) {
    const page = await browser.newPage();
    const wrong = [];
    page.on("pageerror", (error) => wrong.push(error.message));
    const told = readFileSync(join(folder, file), "utf8").replaceAll("</", "<\\/");
    const html = join(profile, "board.html"); // a page without an address has no storage, which the components ask for
    writeFileSync(html, `<meta charset="utf-8"><link rel="stylesheet" href="draw.css"><div id="root"></div><script>window.told = ${told}</script><script src="draw.js"></script>`);
    await page.goto(`file://${html}`);
    await page.waitForSelector("[data-panel]", { timeout: 10_000 }).catch(() => wrong.push("nothing was drawn"));
    // Charts are drawn on canvases after their panels stand.
    await page.waitForTimeout(1500);
    await page.screenshot({ path: join(folder, file.replace(".json", ".png")), fullPage: true });
    const empty = await page.$$eval("[data-empty]", (found) => found.map((each) => each.closest("[data-panel]").dataset.panel));
    drawn[file.replace(".json", "")] = { wrong, empty };
    await page.close();
  }
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
process.stdout.write(JSON.stringify(drawn));
