// A shopper in Debian's Chromium. Reads one JSON command a line, answers one JSON object a line:
// {"ok": …} or {"error": …}. The caller pays; this one only looks.
//
// Commands: open {url, javascript?, language?}, await {state}, again {state} (the link "Check
// again"), judge, shots {name}, half {name}, weigh {url, languages}, seen, frame {url, site},
// print {name}, markup.

import { createRequire } from "node:module";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";

const require = createRequire(import.meta.url);
const { chromium } = require("playwright-core");
const axe = require.resolve("axe-core/axe.min.js");

const [folder, program] = process.argv.slice(2);
const DEADLINE_MS = 60_000;
mkdirSync(folder, { recursive: true });

// A site that only this browser knows may frame a page of this machine.
const disabled = "LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests";
const browser = await chromium.launch({
  executablePath: program,
  args: ["--no-sandbox", `--disable-features=${disabled}`],
});
let context, page, requests, loads, complaints;

const open = async ({ url, javascript = true, language = "en" }) => {
  if (context) await context.close();
  // Our policy allows no foreign script, so axe is let in past it; what the policy refuses is
  // heard all the same, on a page without axe.
  context = await browser.newContext({ javaScriptEnabled: javascript, locale: language });
  page = await context.newPage();
  [requests, loads, complaints] = [[], 0, []];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("framenavigated", () => (loads += 1));
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto(url, { waitUntil: "load" });
  return { title: await page.title() };
};

const arrived = async (state) => {
  await page.locator(`main.${state}`).waitFor({ timeout: DEADLINE_MS });
  return { title: await page.title(), loads, text: await page.locator("main").innerText() };
};

const again = async ({ state }) => {
  const end = Date.now() + DEADLINE_MS;
  while (!(await page.locator(`main.${state}`).count())) {
    if (Date.now() > end) throw new Error(`"Check again" never led to ${state}`);
    await page.locator("footer a").first().click();
    await page.waitForLoadState();
  }
  return arrived(state);
};

// What an independent decoder reads from the picture; nothing if it finds no code.
const decode = (file) => {
  try {
    return execFileSync("zbarimg", ["-q", "--raw", file], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "";
  }
};

const shots = async ({ name }) => {
  const codes = {};
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 640 });
      const file = `${folder}/${name}-${colorScheme}-${width}.png`;
      await page.screenshot({ path: file, fullPage: true });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      if (wide > width) throw new Error(`${name} is ${wide} wide at ${width}`);
      codes[`${colorScheme}-${width}`] = decode(file);
    }
  }
  await page.setViewportSize({ width: 320, height: 640 });
  return { codes };
};

// The code at half its size, as from a screen that is far away.
const half = async ({ name }) => {
  const svg = await page.locator("svg.qr").evaluate((svg) => svg.outerHTML);
  const other = await browser.newPage({ viewport: { width: 320, height: 320 } });
  const xmlns = 'xmlns="http://www.w3.org/2000/svg" width="136" height="136"';
  await other.setContent(`<body>${svg.replace("<svg", `<svg ${xmlns}`)}</body>`);
  const file = `${folder}/${name}-half.png`;
  await other.screenshot({ path: file });
  await other.close();
  return { code: decode(file) };
};

// On a copy of what is shown, for our policy lets no foreign script in.
const judge = async () => {
  const found = [];
  const html = (await page.content()).replace(/<script>[^]*<\/script>/, "");
  const url = page.url();
  for (const colorScheme of ["light", "dark"]) {
    const other = await browser.newPage({ colorScheme, viewport: { width: 320, height: 640 } });
    await other.route(url, (route) => route.fulfill({ contentType: "text/html", body: html }));
    await other.goto(url);
    await other.addScriptTag({ path: axe });
    const { violations } = await other.evaluate(() => window.axe.run());
    for (const { id, nodes } of violations) {
      found.push(`${colorScheme}: ${id}: ${nodes.map((node) => node.html).join(" ")}`);
    }
    await other.close();
  }
  return { violations: found };
};

const weigh = async ({ url, languages }) => {
  const sizes = [];
  for (const language of languages) {
    const bytes = Buffer.from(await (await fetch(`${url}?lang=${language}`)).arrayBuffer());
    sizes.push({ language, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length });
  }
  return { sizes };
};

const seen = async () => ({ requests, complaints, cookies: (await context.cookies()).length });

// What a frame of another site shows of the page.
const frame = async ({ url, site }) => {
  const other = await browser.newPage();
  await other.route(`${site}/`, (route) =>
    route.fulfill({ contentType: "text/html", body: `<iframe src="${url}"></iframe>` }),
  );
  const said = [];
  other.on("console", (message) => said.push(message.text()));
  other.on("requestfailed", (request) => said.push(request.failure().errorText));
  await other.goto(`${site}/`);
  const inside = other.frameLocator("iframe").locator("main");
  const text = await inside.innerText({ timeout: 5_000 }).catch(() => "");
  await other.close();
  return { text, said };
};

// What is printed: the buttons are gone, the facts stay.
const print = async ({ name }) => {
  await page.emulateMedia({ media: "print", colorScheme: "light" });
  await page.screenshot({ path: `${folder}/${name}-print.png`, fullPage: true });
  const text = await page.locator("main").innerText();
  await page.emulateMedia({ media: "screen" });
  return { text };
};

const markup = async () => ({ html: await page.content() });

const acts = {
  open, await: ({ state }) => arrived(state), again, shots, half, judge, weigh, seen, frame, print,
  markup,
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let answer;
  try {
    answer = { ok: await acts[command.act](command) };
  } catch (error) {
    answer = { error: String(error) };
    if (page) writeFileSync(`${folder}/failed.html`, await page.content().catch(() => ""));
  }
  console.log(JSON.stringify(answer));
}
await browser.close();
