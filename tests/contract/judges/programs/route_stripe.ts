// A page of a shop, in Chromium under Playwright for Node: `clients/browser-tests/playwright.ts` routes Stripe's hosts.
import { chromium } from '@playwright/test';
import { routeStripe } from './playwright';

const [, , url, key, executablePath] = process.argv;
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const context = await browser.newContext();
const html = '<!doctype html><title>Shop</title><div id="card"></div><script src="https://js.stripe.com/v3/"></script>';
await context.route('https://shop.example/', (route) => route.fulfill({ body: html, contentType: 'text/html' }));
await routeStripe(context, url);
const page = await context.newPage();
await page.goto('https://shop.example/');
await page.evaluate((key) => {
  const stripe = (window as any).Stripe(key);
  const card = stripe.elements().create('card', { hidePostalCode: true });
  card.mount('#card');
  (window as any).made = () => stripe.createToken(card);
}, key);
const frame = page.frameLocator('iframe[title="Secure card payment input frame"]');
for (const [name, text] of [['cardnumber', '4242424242424242'], ['exp-date', '1234'], ['cvc', '123']]) {
  await frame.locator(`[name="${name}"]`).fill(text);
}
const made = await page.evaluate(() => (window as any).made());
console.log(JSON.stringify({ last4: made.token.card.last4 }));
await context.unrouteAll({ behavior: 'ignoreErrors' });
await browser.close();
