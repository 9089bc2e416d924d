// Supabase's sync engine: `sync_engine.mjs URL KEY DATABASE` copies everything into a PostgreSQL database, then takes an
// event as a webhook, and prints how many objects of each kind it counted and how many rows each table has.
import Stripe from 'stripe';
import {createHmac} from 'node:crypto';
import {createRequire} from 'node:module';

const require = createRequire(import.meta.url); // the engine's migrations are found only where it is CommonJS
const {StripeSync, runMigrations} = require('@supabase/stripe-sync-engine');
const {Pool} = require('pg');
const [, , address, key, databaseUrl] = process.argv;
const secret = 'whsec_judge';
const failures = [];
const logger = {info() {}, debug() {}, warn() {}, error: (...words) => failures.push(words.map(String).join(' '))};

await runMigrations({databaseUrl, schema: 'stripe', logger});
const sync = new StripeSync({
  databaseUrl, stripeSecretKey: key, stripeWebhookSecret: secret, autoExpandLists: true,
  backfillRelatedEntities: true, poolConfig: {max: 4},
});
const {hostname: host, port} = new URL(address);
const stripe = new Stripe(key, {host, port, protocol: 'http', maxNetworkRetries: 0});
sync.stripe = stripe;

const counted = {};
for (const [kind, result] of Object.entries(await sync.syncBackfill({object: 'all'}))) {
  if (result) counted[kind] = result.synced;
}
const refused = {};
const events = stripe.events.list({limit: 100});
for await (const event of events) {
  const payload = JSON.stringify(event);
  const time = Math.floor(Date.now() / 1000);
  const digest = createHmac('sha256', secret).update(`${time}.${payload}`).digest('hex');
  await sync.processWebhook(payload, `t=${time},v1=${digest}`).catch((error) => {
    if (error.message !== 'Unhandled webhook event') refused[event.type] = error.message;
  });
}
const pool = new Pool({connectionString: databaseUrl});
const rows = {};
const {rows: tables} = await pool.query("SELECT tablename FROM pg_tables WHERE schemaname = 'stripe'");
for (const {tablename} of tables) {
  rows[tablename] = Number((await pool.query(`SELECT count(*) FROM stripe.${tablename}`)).rows[0].count);
}
console.log(JSON.stringify({counted, rows, refused, failures}));
process.exit(0);
