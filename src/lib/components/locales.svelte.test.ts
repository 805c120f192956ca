/** Every locale and numbering system of the browser: what is painted is what Intl writes. */
import type { ComponentProps } from 'svelte';
import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import '../../app.css';
import { hasLatinDigits, type Look } from '../format';
import type { ActivityEvent, Tick } from '../protocol';
import ActivityRow from './feed/ActivityRow.svelte';
import MetricCard from './dashboard/MetricCard.svelte';
import BreakdownTable from './dashboard/BreakdownTable.svelte';
import LiveChart from './charts/LiveChart.svelte';
import HistoryChart from './history/HistoryChart.svelte';
import ConnectionStatus from './shell/ConnectionStatus.svelte';

const LOCALES = (
	'en-GB en-US en-IN de-DE de-CH de-AT fr-FR fr-CH es-ES pt-PT pt-BR it-IT nl-NL pl-PL cs-CZ sv-SE nb-NO fi-FI hu-HU ru-RU uk-UA bg-BG ' +
	'el-GR tr-TR ar-EG ar-SA ar-MA fa-IR ur-PK ps-AF he-IL hi-IN mr-IN ne-NP bn-BD pa-IN ta-IN my-MM th-TH vi-VN ja-JP ko-KR zh-CN zh-TW ff-Adlm'
).split(' ');
const SYSTEMS = Intl.supportedValuesOf('numberingSystem');
const VALUES = [0, 7, 1_234, 98_765, 1_234_567_890];
const NOW = Date.UTC(2026, 10, 23, 14, 5, 9);

/** Every locale in its own digits, and every numbering system in one locale after the other. */
const LOOKS: Look[] = [
	...LOCALES,
	...SYSTEMS.map((system, i) => `${LOCALES[i % LOCALES.length]}-u-nu-${system}`),
].map((locale) => ({ locale, timeZone: 'UTC' }));
/** A slow machine draws a few of them a second. */
const TIMEOUT_MS = 180_000;
const count = (value: number, { locale }: Look) =>
	new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }).format(value);

/** What a figure shows: its text, or of rolling digits those that face the viewer. */
function paintedText(figure: Element): string {
	const rolling = figure.querySelector('number-flow-svelte')?.shadowRoot;
	if (!rolling) return figure.textContent ?? '';
	const parts = rolling.querySelectorAll('.digit, .symbol');
	return [...parts]
		.filter((part) => !part.hasAttribute('inert'))
		.map((part) => part.querySelector('.digit__num:not([inert])') ?? part)
		.map((part) => part.textContent)
		.join('');
}

test('there are at least 30 locales, and every numbering system of the browser', () => {
	expect(LOCALES.length).toBeGreaterThanOrEqual(30);
	expect(SYSTEMS).toContain('arab');
	expect(SYSTEMS).toContain('mathsans');
});

const card = {
	label: 'Events',
	window: '30 min',
	value: 1_234,
	previous: 1_000,
	definition: 'All events.',
	onpress: () => {},
};

test('a figure shows what Intl writes', { timeout: TIMEOUT_MS }, async () => {
	const { container, rerender } = await render(MetricCard, card);
	const figure = container.querySelector('.figure')!;
	await expect.poll(() => figure.querySelector('number-flow-svelte')).not.toBeNull();
	const wrong: string[] = [];
	for (const look of LOOKS)
		for (const value of VALUES) {
			await rerender({ ...card, look, value });
			const [painted, wanted] = [paintedText(figure).trim(), count(value, look)];
			if (painted !== wanted) wrong.push(`${look.locale}: "${painted}" for ${wanted}`);
		}
	expect(wrong.slice(0, 20)).toEqual([]);
});

test('a figure whose locale has other digits is visible and has a width', async () => {
	for (const locale of ['ar-EG', 'fa-IR', 'mr-IN', 'my-MM']) {
		const { container, unmount } = await render(MetricCard, {
			...card,
			look: { locale, timeZone: 'UTC' },
		});
		const figure = container.querySelector('.figure')!;
		expect(figure.textContent?.trim()).toBe(count(1_234, { locale, timeZone: 'UTC' }));
		const range = document.createRange();
		range.selectNodeContents(figure);
		expect(range.getBoundingClientRect().width).toBeGreaterThan(20);
		await unmount();
	}
});

test('control: number-flow by itself paints no digit of another numbering system', async () => {
	const { default: NumberFlow } = await import('@number-flow/svelte');
	const { container, rerender } = await render(NumberFlow, { value: 1_234, locales: 'en-GB' });
	expect(paintedText(container)).toBe('1,234');
	await rerender({ value: 1_234, locales: 'ar-EG' });
	expect(paintedText(container)).not.toBe('١٬٢٣٤');
	expect(hasLatinDigits({ locale: 'ar-EG', timeZone: 'UTC' })).toBe(false);
});

test('rows and tables write numbers and dates as Intl does', { timeout: TIMEOUT_MS }, async () => {
	const event: ActivityEvent = {
		id: 1,
		eventId: '00000000-0000-4000-8000-000000000001',
		name: 'order',
		source: 'web',
		sessionId: null,
		properties: {},
		context: null,
		createdAt: new Date(NOW - 2 * 86_400_000).toISOString(),
	};
	const table = { rows: [{ key: '/', count: 1_234 }], other: 98_765 };
	const connection = {
		status: 'live',
		attempt: 0,
		retryAt: null,
		lastError: null,
		clock: NOW,
		delayMs: 1_234,
		onretry: () => {},
	} as const;
	const row = { event, now: NOW, fresh: false, open: false, ontoggle: () => {} };
	const shown = {
		row: await render(ActivityRow, row),
		table: await render(BreakdownTable, { dimension: 'path', table }),
		status: await render(ConnectionStatus, connection),
	};
	const wrong: string[] = [];
	for (const look of LOOKS) {
		await shown.row.rerender({ ...row, look });
		await shown.table.rerender({ dimension: 'path', table, look });
		await shown.status.rerender({ ...connection, look });
		const at = Date.parse(event.createdAt);
		const { locale, timeZone } = look;
		const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone });
		const time = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', timeZone });
		const tenths = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
		for (const [name, wanted] of [
			['row', day.format(at)],
			['row', time.format(at)],
			['table', count(1_234, look)],
			['table', count(98_765, look)],
			['table', count(99_999, look)],
			['status', new Intl.NumberFormat(locale, tenths).format(1.2)],
		] as const)
			if (!shown[name].container.textContent?.includes(wanted))
				wrong.push(`${locale}: ${name} lacks ${wanted}`);
	}
	expect(wrong.slice(0, 20)).toEqual([]);
});

/** SVG text of LayerChart joins words by plain spaces. */
const withPlainSpaces = (text: string) => text.replace(/\s/g, ' ');

test('the axes of both charts write as Intl does', { timeout: TIMEOUT_MS }, async () => {
	const tick: Tick = {
		recordedAt: new Date(NOW).toISOString(),
		pageViews: 1,
		activeSessions: 1,
		eventsCount: 1,
		eventsPerMinute: 98_765,
	};
	const minute = { at: NOW - (NOW % 60_000), events: 98_765, pageViews: 1, sessions: 1 };
	const live: ComponentProps<typeof LiveChart> = {
		label: 'Events per minute',
		series: { minutes: [minute], seconds: [] },
		drawn: 'events',
		span: 'minutes',
		arrivals: [],
		now: NOW,
		running: false,
	};
	const days = Array.from({ length: 90 }, (_, i) => NOW - (89 - i) * 86_400_000);
	const figures = { pageViews: 98_765, eventsCount: 98_765, activeSessions: 3 };
	const history = {
		range: '90d',
		filter: [],
		zone: 'UTC',
		from: new Date(days[0]!).toISOString(),
		to: new Date(NOW + 86_400_000).toISOString(),
		at: tick.recordedAt,
		begins: new Date(days[0]!).toISOString(),
		through: tick.recordedAt,
		tables: {},
		totals: figures,
		previousTotals: null,
		points: days.map((at) => ({ ...figures, at: new Date(at).toISOString() })),
		previous: [],
	} as const;
	const past = { history, drawn: 'eventsCount', label: 'Events', running: true } as const;
	const shown = {
		live: await render(LiveChart, live),
		past: await render(HistoryChart, {
			...past,
			history: { ...history, filter: [], points: [...history.points], previous: [] },
		}),
	};
	const wrong: string[] = [];
	for (const look of LOOKS) {
		await shown.live.rerender({ ...live, look });
		await shown.past.rerender({ look });
		const { locale, timeZone } = look;
		const compact = new Intl.NumberFormat(locale, {
			notation: 'compact',
			maximumFractionDigits: 1,
		});
		const date = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone });
		const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone } as const;
		const axis = (name: keyof typeof shown, part: string) =>
			[...shown[name].container.querySelectorAll(part)].map(({ textContent }) =>
				withPlainSpaces(textContent.trim()),
			);
		const has = (name: keyof typeof shown, part: string, wanted: string) => {
			if (!axis(name, part).includes(withPlainSpaces(wanted)))
				wrong.push(`${locale}: ${name} has ${axis(name, part).join(' | ')}, not ${wanted}`);
		};
		has('live', '.axis-label', compact.format(200_000));
		has('live', '.pen span', compact.format(98_765));
		has('live', '.axis-label', `${count(20, look)} min ago`);
		has('live', '.now', new Intl.DateTimeFormat(locale, clock).format(NOW));
		has('past', '.axis-label', compact.format(200_000));
		// the mark two weeks later would touch the label of now
		has('past', '.axis-label', date.format(days[68]!));
	}
	expect(wrong.slice(0, 20)).toEqual([]);
});
