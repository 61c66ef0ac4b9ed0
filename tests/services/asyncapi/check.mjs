// Reads an AsyncAPI document on standard input; writes what the reference parser says of it, as JSON.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const { Parser } = createRequire(`${process.argv[2]}/`)("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify({ parsed: document !== undefined, diagnostics }));
