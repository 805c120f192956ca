/** The page at a moment: paused, and at a time of its address. */
import { findProblems } from './axe';
import { chart, eventNames, figure, openLive, post } from './board';
import { expect, test } from './server';

test('a paused page rests while events arrive, loses nothing, and shows everything at once', async ({
	page,
	server,
}) => {
	await post(server, { name: 'first' });
	await openLive(page);
	await expect(figure(page, 'Events')).toHaveText('1');
	await page.keyboard.press('p');
	const bar = page.getByRole('region', { name: 'Paused' });
	await expect(bar).toContainText('Paused at');
	await expect(page.getByRole('status').filter({ hasText: /^Paused at/ })).toHaveCount(1);
	for (const name of ['second', 'third']) await post(server, { name });
	await expect(bar).toContainText('2 events since');
	await expect(figure(page, 'Events')).toHaveText('1');
	expect(await eventNames(page)).toEqual(['first']);
	await expect(page).toHaveTitle('Nowboard (paused)');
	expect(await findProblems(page)).toEqual([]);
	await page.screenshot({ path: `${process.env.SHOTS ?? 'test-results'}/paused.png` });
	await page.keyboard.press('Escape');
	await expect(bar).toHaveCount(0);
	await expect(figure(page, 'Events')).toHaveText('3');
	expect(await eventNames(page)).toEqual(['third', 'second', 'first']);
});

test('the needle leads to another time, which the address keeps, and back to now', async ({
	page,
	server,
}) => {
	await server.sql`
		insert into nowboard.events (name, created_at)
		select case when i < 600 then 'late' else 'early' end, clock_timestamp() - i * interval '1 second'
		from generate_series(1, 3000) i`;
	await openLive(page);
	await expect(figure(page, 'Events')).toHaveText(/^1,7\d\d$/);
	const handle = page.getByRole('slider', { name: 'Time that the page shows' });
	const box = (await handle.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
	const plot = (await chart(page).locator('.surface').boundingBox()) ?? { width: 0 };
	await page.mouse.move(box.x + box.width / 2, box.y + 60);
	await page.mouse.down();
	await page.mouse.move(box.x + box.width / 2 - plot.width / 2, box.y + 60, { steps: 5 });
	await page.mouse.up();
	const bar = page.getByRole('region', { name: 'Time of the page' });
	await expect(bar).toContainText('As of');
	await expect(page).toHaveURL(/[?&]at=/);

	async function expectMoment(where = 'true') {
		const at = new URL(page.url()).searchParams.get('at') ?? '';
		const [row] = await server.sql<[{ n: number }]>`
			select count(*)::int as n from nowboard.events where created_at <= ${at}::timestamptz
				and created_at > ${at}::timestamptz - interval '30 minutes' and ${server.sql.unsafe(where)}`;
		await expect(figure(page, 'Events')).toHaveText(row.n.toLocaleString('en'));
		return { at, n: row.n };
	}
	const dragged = await expectMoment();
	expect(new Set(await eventNames(page))).toEqual(new Set(['early']));
	expect(await findProblems(page)).toEqual([]);
	await page.screenshot({ path: `${process.env.SHOTS ?? 'test-results'}/past.png` });
	// what arrives meanwhile is not of that time, and a reload keeps it
	await post(server, { name: 'now' });
	await page.reload();
	await expect(bar).toContainText('As of');
	expect(await expectMoment()).toEqual(dragged);
	// by keys, and under a filter
	await handle.focus();
	await page.keyboard.press('PageUp');
	await expect.poll(() => new URL(page.url()).searchParams.get('at')).not.toBe(dragged.at);
	await expectMoment();
	await page.goto(`/?f=name:late&at=${dragged.at}`);
	await expectMoment(`name = 'late'`);
	// a time before the data is said, and there is a way back
	await page.goto('/?at=2020-01-01');
	await expect(page.getByText('no event that is kept is as old')).toBeVisible();
	await page.getByRole('button', { name: /^Back to live/ }).click();
	await expect(page).not.toHaveURL(/at=/);
	await expect(bar).toHaveCount(0);
	const refused = await fetch(`${server.url}/api/dashboard/moment?at=2090-01-01`);
	expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('future')]);
});
