// A headless Chromium that talks to nobody but the tests, and a page for it, of another origin than the server.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Where the page is; it is there until the test ends. */
export async function servePage(test) {
  const entry = fileURLToPath(new URL('./page.js', import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, format: 'iife', platform: 'browser', target: 'es2022' });
  const answers = {
    '/': ['text/html', '<!doctype html><title>Dezky</title><script src="/page.js"></script>'],
    '/page.js': ['text/javascript', outputFiles[0].text],
  };
  const server = createServer((request, response) => {
    const [type, text] = answers[request.url] ?? ['text/plain', ''];
    response.setHeader('content-type', type).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => (server.close(), server.closeAllConnections()));
  return `http://127.0.0.1:${server.address().port}`;
}

/** The page, opened; `asked` has every evaluation and every stream that it asks for, `said` its complaints. */
export async function openPage(test, address) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGUMENTS });
  test.after(() => browser.close());
  const page = await browser.newPage();
  const [asked, said] = [[], []];
  page.on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname.startsWith('/ofrep/')) {
      asked.push({ method: request.method(), pathname, searchParams });
    }
  });
  page.on('pageerror', (error) => said.push(String(error)));
  await page.goto(address);
  return { page, asked, said };
}
