// A headless Chromium without other network use, and a page whose origin differs from the server's.

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

/** Serves the page until the end of the test and returns its address. */
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

/** Opens the page. `requests` lists its evaluations and streams, and `errors` its errors. */
export async function openPage(test, address) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGUMENTS });
  test.after(() => browser.close());
  const page = await browser.newPage();
  const [requests, errors] = [[], []];
  page.on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname.startsWith('/ofrep/')) {
      requests.push({ method: request.method(), pathname, searchParams });
    }
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(address);
  return { page, requests, errors };
}
