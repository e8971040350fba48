/** A real Chromium for tests of pages: the system's own, headless, with what it complained of and a folder for pictures. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findTool, missing } from './find-tool.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** Two quiet cores take 3 s for the first page, busy ones many times that. */
const actionMs = 90_000;

/** For node:test's `skip`. */
export function skipWithoutBrowser(): string | false {
  return names.some((name) => findTool(name)) ? false : missing('chromium', 'apt-get install -y chromium');
}

export interface TestBrowser {
  readonly page: Page;
  /** Errors of scripts and of the policy, and answers of 400 and above, in words. */
  readonly complaints: string[];
  /** Hosts that were asked for anything. */
  readonly hosts: Set<string>;
  /** Saves what the page looks like, into MILLRACE_SCREENSHOTS or a folder of its own; returns the file. */
  shoot(name: string): Promise<string>;
  close(): Promise<void>;
}

export interface BrowserWish {
  readonly dark?: boolean;
  readonly width?: number;
}

export async function openBrowser({ dark = false, width = 1280 }: BrowserWish = {}): Promise<TestBrowser> {
  const executablePath = names.map(findTool).find(Boolean) as string;
  // Chromium's sandbox refuses root; what it shows is ours.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser: Browser = await chromium.launch({
    executablePath,
    args: [...args, '--disable-dev-shm-usage'],
    timeout: actionMs,
  });
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    colorScheme: dark ? 'dark' : 'light',
  });
  context.setDefaultTimeout(actionMs);
  const page = await context.newPage();
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  const folder = process.env['MILLRACE_SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'millrace-pages-'));
  return {
    page,
    complaints,
    hosts,
    async shoot(name) {
      const path = join(folder, `${name}.png`);
      await page.screenshot({ path, fullPage: true });
      return path;
    },
    close: () => browser.close(),
  };
}
