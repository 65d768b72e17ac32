// The same in Debian's Firefox, for what may differ there: the page as it stands, its events, its
// code. Reads and answers as shopper.mjs does.
//
// Commands: open {url}, await {state}, shot {name}.

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";

import puppeteer from "puppeteer-core";

const [folder, program] = process.argv.slice(2);
const DEADLINE_MS = 60_000;
mkdirSync(folder, { recursive: true });

const browser = await puppeteer.launch({ browser: "firefox", executablePath: program });
let page, loads, complaints;

const open = async ({ url }) => {
  if (page) await page.close();
  page = await browser.newPage();
  [loads, complaints] = [0, []];
  await page.setViewport({ width: 320, height: 640 });
  page.on("framenavigated", () => (loads += 1));
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(url, { waitUntil: "load" });
  return { title: await page.title() };
};

const arrived = async ({ state }) => {
  await page.waitForSelector(`main.${state}`, { timeout: DEADLINE_MS });
  const text = await page.$eval("main", (main) => main.innerText);
  return { loads, complaints, title: await page.title(), text };
};

const shot = async ({ name }) => {
  const file = `${folder}/${name}.png`;
  await page.screenshot({ path: file, fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  if (wide > 320) throw new Error(`${name} is ${wide} wide`);
  try {
    const options = { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] };
    return { code: execFileSync("zbarimg", ["-q", "--raw", file], options).trim() };
  } catch {
    return { code: "" };
  }
};

const acts = { open, await: arrived, shot };

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let answer;
  try {
    answer = { ok: await acts[command.act](command) };
  } catch (error) {
    answer = { error: String(error) };
  }
  console.log(JSON.stringify(answer));
}
await browser.close();
