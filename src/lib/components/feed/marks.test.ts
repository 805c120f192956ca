import { expect, test } from 'vitest';
import { toMark } from './marks';

const NAMES = ['click', 'signup', 'checkout_started', 'order_paid', 'export_finished', 'login'];

test('a name has the same mark in every process, and kinds of events differ without colour', () => {
	// written down: a mark that changed would be another one to those who have learnt it
	expect(NAMES.map((name) => Object.values(toMark(name)).join(' '))).toMatchInlineSnapshot(`
		[
		  "M6 1.6 10.4 6 6 10.4 1.6 6Z false ochre",
		  "M6 1.8 10.6 9.8H1.4Z true moss",
		  "M6 1.6 10.4 6 6 10.4 1.6 6Z true plum",
		  "M6 10.2 1.4 2.2h9.2Z false slate",
		  "M4.6 1.6h2.8v3h3v2.8h-3v3H4.6v-3h-3V4.6h3Z true plum",
		  "M6 10.2 1.4 2.2h9.2Z true plum",
		]
	`);
	const shapes = NAMES.map((name) => `${toMark(name).path}${toMark(name).isFilled}`);
	expect(new Set(shapes).size).toBe(NAMES.length);
	const many = Array.from({ length: 6_000 }, (_, i) => JSON.stringify(toMark(`event_${i}`)));
	expect(new Set(many).size).toBe(60);
	const fair = many.filter((one) => one === many[0]).length;
	expect(fair).toBeGreaterThan(50);
	expect(fair).toBeLessThan(200);
	// nothing else looks like a page view
	expect(many).not.toContain(JSON.stringify(toMark('page_view')));
});
