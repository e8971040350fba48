/** The operator's way through the pages, in a real Chromium: log in, see a backlog, follow a job, retry a dead letter. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { keys } from '../../shared/jobs/keys.ts';
import { openBrowser, skipWithoutBrowser, type TestBrowser } from '../../shared/testing/browser.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { startReceiver } from '../../workers/webhooks/testing/receiver.ts';
import { type Delivery, WebhookLab } from '../../workers/webhooks/testing/webhook-lab.ts';
import { type FakeWorker, startFakeWorker } from '../testing/fake-worker.ts';
import { adminToken, type BoardLab, startBoardLab } from './testing/board-lab.ts';

describe('the operator in a browser', { skip: skipWithoutBrowser() }, () => {
  let webhooks: WebhookLab;
  let delivery: Delivery;
  let lab: BoardLab;
  let browser: TestBrowser;
  let worker: FakeWorker | undefined;
  before(async () => {
    webhooks = await WebhookLab.start();
    delivery = webhooks.startDelivery({ schedule: [0, 0.01] });
    lab = await startBoardLab(webhooks.server.url, { GRAFANA_URL: 'http://grafana.localhost:3000' });
    await lab.api.redis.hset(keys.modelStates, 'ner/worker-1', '{}', 'asr/worker-1', '{}');
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await worker?.stop();
    await lab?.close();
    await delivery?.stop();
    await webhooks?.stop();
  });
  const text = async () => (await browser.page.textContent('body')) ?? '';
  /** A click may end before the page that it leads to is there. */
  const untilShown = async (words: RegExp, selector = 'body') => {
    const isShown = async () => words.test((await browser.page.textContent(selector)) ?? '');
    await waitUntil(`${words} is shown`, isShown, 60_000).catch(async () => assert.match(await text(), words));
  };

  it('leads through the login to the page that was asked for, and shows the backlog there', async () => {
    for (let i = 0; i < 12; i++) await lab.client.submit({ model: 'ner', input: `words ${i}`, priority: 'low' });
    const { page } = browser;
    await page.goto(`${lab.url}/admin/tenants`);
    assert.match(page.url(), /\/admin\/login\?next=%2Fadmin%2Ftenants$/);
    await browser.shoot('login');
    await page.fill('#token', 'not the token');
    await page.click('button');
    await untilShown(/That is not the token/);
    browser.complaints.length = 0; // The 401 just asked for.
    await page.fill('#token', adminToken);
    await page.click('button');
    await page.waitForURL(`${lab.url}/admin/tenants`);
    await browser.shoot('tenants');
    assert.match((await page.textContent('table')) ?? '', /default\s*12\s*100 %/);
    await page.click('nav >> text=Overview');
    await untilShown(/ner\.low/);
    await browser.shoot('overview');
  });

  it('shows the queues with their counts, and leads from a job there to its page and its trace', async () => {
    const { page } = browser;
    await page.click('nav >> text=Queues');
    await page.waitForSelector('main >> text=ner.low');
    await browser.shoot('queues');
    assert.match(await page.innerText('main'), /ner\.low[\s\S]{0,200}12/);
    await page.goto(`${lab.url}/admin/queues/queue/ner.low?status=prioritized`);
    await page.waitForSelector('text=Job in Millrace');
    await browser.shoot('queue');
    const shown = await text();
    assert.ok(!shown.includes('words'), 'no input');
    const href = (await page.getAttribute('a:has-text("Job in Millrace")', 'href')) ?? '';
    await page.goto(new URL(href, lab.url).href);
    assert.match(await text(), /Status\s*queued[\s\S]*Tenant\s*default[\s\S]*Model\s*ner/);
    await browser.shoot('job');
    assert.match(
      (await page.getAttribute('a[href*="/trace/"]', 'href')) ?? '',
      /jaeger\.localhost:16686\/trace\/\w{32}$/,
    );
    assert.deepEqual(browser.complaints, [], 'nothing failed, and the policy stopped nothing');
    assert.deepEqual([...browser.hosts], [new URL(lab.url).host], 'nothing is asked of anybody else');
  });

  it('offers nothing that changes a queue', async () => {
    const { page } = browser;
    await page.goto(`${lab.url}/admin/queues/queue/ner.low?status=prioritized`);
    await page.waitForSelector('text=Job in Millrace');
    for (const label of ['Retry', 'Promote', 'Clean', 'Remove', 'Pause', 'Empty', 'Obliterate', 'Add job']) {
      assert.equal(await page.locator(`button:has-text("${label}")`).count(), 0, label);
    }
  });

  it('retries a dead letter after asking once more, and sees it go through', async () => {
    const { page } = browser;
    const old = await lab.setAside({ model: 'ner', input: 'it was the fault of a lane' });
    await page.goto(`${lab.url}/admin/dead-letters`);
    assert.match(await text(), /Jobs set aside \(1\)/);
    await browser.shoot('dead-letters');
    await page.click('summary:has-text("Retry")');
    await untilShown(/Its outcome stays\. A new job/);
    await browser.shoot('dead-letters-confirm');
    await page.click('button:has-text("Retry")');
    await page.waitForURL(/\/admin\/jobs\/default\/job_/);
    await untilShown(new RegExp(old.id));
    worker = startFakeWorker(webhooks.server.url, 'ner');
    await waitUntil('it went through', async () => {
      await page.reload();
      return (await page.textContent('.tag')) === 'succeeded';
    });
    await browser.shoot('job-succeeded');
    await page.click(`text=${old.id}`);
    await untilShown(/^failed$/, '.tag');
    await browser.shoot('job-failed');
    await page.goto(`${lab.url}/admin/dead-letters`);
    assert.match(await text(), /Jobs set aside \(0\)/);
  });

  it('sends an event again, turns a URL on, and says that it did', async () => {
    const { page } = browser;
    const failing = await startReceiver((response) => response.writeHead(500).end());
    const gone = await startReceiver((response) => response.writeHead(410).end());
    const job = await webhooks.runJob(failing.url);
    await webhooks.runJob(gone.url);
    const { redis } = lab.api;
    await waitUntil('one is given up', async () => (await redis.zcard(`${keys.queuePrefix}:webhooks:failed`)) === 1);
    await waitUntil('one is off', async () => (await redis.scard(keys.disabledHooks('default'))) === 1);
    await page.goto(`${lab.url}/admin/dead-letters`);
    await browser.shoot('dead-letters-webhooks');
    failing.answer = (response) => response.end();
    await page.click('summary:has-text("Send again")');
    await page.click('button:has-text("Send again")');
    await untilShown(/queued again/, '[role=status]');
    await waitUntil('it arrives', () => failing.of(job.id).length === 3);
    await page.click('summary:has-text("Turn on")');
    await page.click('button:has-text("Turn on")');
    await untilShown(/on again/, '[role=status]');
    assert.equal(await redis.scard(keys.disabledHooks('default')), 0);
    await page.goto(`${lab.url}/admin/jobs/default/${job.id}`);
    await browser.shoot('job-deliveries');
    assert.match(await page.innerText('main'), /500[\s\S]*500[\s\S]*200/);
    await failing.stop();
    await gone.stop();
  });

  it('is readable in the dark and on a telephone, and logs out', async () => {
    const other = await openBrowser({ dark: true, width: 390 });
    try {
      await other.page.goto(`${lab.url}/admin`);
      await other.page.fill('#token', adminToken);
      await other.page.click('button');
      await other.page.waitForURL(`${lab.url}/admin`);
      await other.shoot('overview-dark-narrow');
      const wide = await other.page.evaluate('document.documentElement.scrollWidth - innerWidth');
      assert.ok(Number(wide) <= 0, `${wide} px too wide`);
      await other.page.click('button:has-text("Log out")');
      await other.page.waitForURL(/\/admin\/login/);
      await other.page.goto(`${lab.url}/admin`);
      assert.match(other.page.url(), /\/admin\/login/);
    } finally {
      await other.close();
    }
  });
});
