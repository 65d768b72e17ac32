// A shopper in Debian's Chromium. Reads one JSON command a line, answers one JSON object a line:
// {"ok": …} or {"error": …}. The caller pays; this one only looks.
//
// Commands: open {url, javascript?, language?, streams?, clock?}, await {state}, again {state} (the
// link "Check again"), judge, shots {name}, half {name}, weigh {url, languages}, seen, frame {url,
// site}, print {name}, markup, press {text}, keys, sizes, copy {what}, wallet, said {seconds}, return,
// contrast {name}, lighthouse {url}, picture {url, name}, focus {text}, focused,
// tab, paint {url}.

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

// A site that only this browser knows may frame a page of this machine, and plain.example is this
// machine by a name that browsers do not trust without TLS.
const disabled = "LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests";
const plain = "--host-resolver-rules=MAP plain.example 127.0.0.1";
const browser = await chromium.launch({
  executablePath: program,
  args: ["--no-sandbox", `--disable-features=${disabled}`, plain],
});
let context, page, requests, loads, complaints;

const open = async ({ url, javascript = true, language = "en", streams = true, clock = false }) => {
  if (context) await context.close();
  // Our policy allows no foreign script, so axe is let in past it; what the policy refuses is
  // heard all the same, on a page without axe.
  context = await browser.newContext({ javaScriptEnabled: javascript, locale: language });
  page = await context.newPage();
  if (clock) await page.clock.install();
  if (!streams) await page.route("**/events", (route) => route.abort());
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

// A link or a button by what it says.
const press = async ({ text }) => {
  await page.locator("a, button").filter({ hasText: text }).first().click();
  await page.waitForLoadState();
  return { url: page.url(), text: await page.locator("main").innerText() };
};

// What the Tab key comes to, one after the other, each with a mark that can be seen.
const keys = async () => {
  const met = [];
  for (let count = 0; count < 40; count += 1) {
    await page.keyboard.press("Tab");
    const now = await page.evaluate(() => {
      const { activeElement: on } = document;
      if (on === document.body) return null;
      const { outlineStyle, outlineWidth } = getComputedStyle(on);
      const name = on.getAttribute("aria-label") || on.textContent.trim();
      return { name, marked: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 };
    });
    if (!now) break;
    if (!now.marked) throw new Error(`${now.name} does not show that it has the focus`);
    met.push(now.name);
  }
  return { met };
};

// How large is what can be pressed, in CSS pixels; links within a text may be smaller.
const sizes = async () => {
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("a, button, summary")]
      .filter((element) => !element.closest("code"))
      .map((element) => [element.textContent.trim(), element.getBoundingClientRect()])
      .filter(([, { width, height }]) => width > 0 && (width < 24 || height < 44))
      .map(([name, { width, height }]) => `${name}: ${width} x ${height}`),
  );
  return { small };
};

// Presses a button "Copy"; what is then in the clipboard, or selected where there is none.
const copy = async ({ what }) => {
  const secure = await page.evaluate(() => isSecureContext);
  if (secure) await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.locator(`[data-copy=${what}]`).click();
  await page.locator(".said:not(:empty)").waitFor();
  const text = await page.evaluate((secure) =>
    secure ? navigator.clipboard.readText() : String(getSelection()), secure);
  return { text, said: await page.locator(".said").innerText() };
};

const wallet = async () => {
  const said = page.locator(".said");
  const before = await said.innerText();
  await page.locator("#wallet").click();
  await page.waitForFunction(
    (before) => !["", before].includes(document.querySelector(".said").textContent), before);
  return { said: await said.innerText() };
};

// What the page says by itself while so much time passes by its clock.
const said = async ({ seconds }) => {
  const heard = [];
  let last = "";
  for (let passed = 0; passed < seconds; passed += 5) {
    await page.clock.runFor(5_000);
    const now = await page.locator(".said").innerText();
    if (now && now !== last) heard.push(now);
    last = now;
  }
  return { heard };
};

// As one who comes back from another app: the page, which has its stream and so does not ask by
// itself, is asked for once more.
const comeBack = async () => {
  const own = (response) => response.url() === page.url();
  const asked = page.waitForResponse(own, { timeout: 10_000 });
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  return { status: (await asked).status() };
};

// With colours of the reader's own, and with less motion.
const contrast = async ({ name }) => {
  await page.emulateMedia({ forcedColors: "active", colorScheme: "dark" });
  const file = `${folder}/${name}-forced.png`;
  await page.screenshot({ path: file, fullPage: true });
  await page.emulateMedia({ forcedColors: "none", reducedMotion: "reduce", colorScheme: "light" });
  await page.evaluate(() => document.querySelector("main").replaceWith(document.querySelector("main").cloneNode(true)));
  const moving = await page.evaluate(() => document.getAnimations().length);
  await page.emulateMedia({ reducedMotion: "no-preference" });
  return { code: decode(file), moving };
};

// A picture of its own, as another site shows it.
const picture = async ({ url, name }) => {
  const other = await browser.newPage({ viewport: { width: 320, height: 320 } });
  await other.setContent(`<body><img src="${url}" alt=""></body>`);
  await other.waitForFunction(() => document.images[0].complete);
  const file = `${folder}/${name}.png`;
  await other.screenshot({ path: file });
  await other.close();
  return { code: decode(file) };
};

const focus = async ({ text }) =>
  page.locator("a, button").filter({ hasText: text }).first().focus();

const focused = async () => ({
  text: await page.evaluate(() => document.activeElement.textContent.trim()),
});

const tab = async () => ({
  title: await page.title(),
  icon: await page.locator("link[rel=icon]").getAttribute("href"),
});

// Milliseconds to the first text over a slow line, the best of a few tries.
const paint = async ({ url }) => {
  const times = [];
  for (let count = 0; count < 3; count += 1) {
    const other = await browser.newPage({ viewport: { width: 320, height: 640 } });
    const line = await other.context().newCDPSession(other);
    await line.send("Network.enable");
    const slow = { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 };
    await line.send("Network.emulateNetworkConditions", slow);
    await other.goto(url, { waitUntil: "domcontentloaded" });
    const first = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
    times.push(await (await other.waitForFunction(first)).jsonValue());
    await other.close();
  }
  return { ms: Math.round(Math.min(...times)) };
};

// The best of a few tries: how fast a page is depends on what else the machine does.
const lighthouse = async ({ url }) => {
  const { default: judgeWhole } = await import("lighthouse");
  const { launch } = await import("chrome-launcher");
  const chromeFlags = ["--headless=new", "--no-sandbox"];
  const onlyCategories = ["performance", "accessibility", "best-practices"];
  const scores = { performance: 0 };
  const failed = new Set();
  for (let count = 0; count < 3 && scores.performance < 98; count += 1) {
    const chrome = await launch({ chromePath: program, chromeFlags, logLevel: "silent" });
    try {
      const options = { port: chrome.port, onlyCategories, logLevel: "silent" };
      const { lhr, report } = await judgeWhole(url, { ...options, output: "html" });
      for (const category of onlyCategories) {
        const score = Math.round(100 * lhr.categories[category].score);
        const best = category === "performance" ? Math.max : Math.min;
        scores[category] = best(score, scores[category] ?? score);
        if (category === "performance") continue;
        for (const { id, weight } of lhr.categories[category].auditRefs) {
          const { score } = lhr.audits[id];
          if (weight > 0 && score !== null && score < 1) failed.add(id);
        }
      }
      writeFileSync(`${folder}/lighthouse.html`, report);
    } finally {
      await chrome.kill();
    }
  }
  return { scores, failed: [...failed] };
};

const acts = {
  open, await: ({ state }) => arrived(state), again, shots, half, judge, weigh, seen, frame, print,
  markup, press, keys, sizes, copy, wallet, said, return: comeBack, contrast, lighthouse,
  picture, focus, focused, tab, paint,
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
