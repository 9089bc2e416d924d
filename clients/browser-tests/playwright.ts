// For Playwright in TypeScript: what a page asks of Stripe's hosts is answered by a Tollkey server. Copy this file into
// your tests, and call `await routeStripe(context, 'http://127.0.0.1:8420')` before `page.goto(…)`.
import type { BrowserContext, Page } from '@playwright/test';

const STRIPE = /^https:\/\/(js|api|hooks|checkout)\.stripe\.com\//;

export async function routeStripe(context: BrowserContext | Page, url: string): Promise<void> {
  const base = url.replace(/\/$/, '');
  await context.route(STRIPE, async (route) => {
    const asked = new URL(route.request().url());
    let response = await route.fetch({ url: base + asked.pathname + asked.search, maxRedirects: 0 });
    // Playwright routes no request that follows on a redirect, so it is followed here.
    while ([302, 303].includes(response.status()) && (response.headers()['location'] ?? '').startsWith('/')) {
      response = await route.fetch({ url: base + response.headers()['location'], method: 'GET', maxRedirects: 0 });
    }
    await route.fulfill({ response });
  });
}
