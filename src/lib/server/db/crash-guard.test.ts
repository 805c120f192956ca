import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isKnownException, isKnownRejection } from './crash-guard';
import { connect } from './connect';

const from = (error: Error, place: string) =>
	Object.assign(error, { stack: `Error\n    at ${place}:1:1` });
const DRIVER = '/app/node_modules/postgres/src/connection.js';

describe('what is survived', () => {
	test('the write to a socket that is gone, out of the driver', () => {
		const message = "Cannot read properties of null (reading 'write')";
		expect(isKnownException(from(new TypeError(message), DRIVER))).toBe(true);
		expect(isKnownException(from(new TypeError(message), '/app/build/ours.js'))).toBe(false);
		expect(isKnownException(from(new TypeError('x is undefined'), DRIVER))).toBe(false);
	});

	test('a rejection that says that the connection went away', () => {
		const lost = (code: string, place = DRIVER) =>
			from(Object.assign(new Error(code), { code }), place);
		expect(isKnownRejection(lost('CONNECTION_CLOSED'))).toBe(true);
		expect(isKnownRejection(lost('57P01'))).toBe(true);
		expect(isKnownRejection(lost('42P01'))).toBe(false);
		expect(isKnownRejection(lost('CONNECTION_CLOSED', '/app/build/ours.js'))).toBe(false);
		expect(isKnownRejection('CONNECTION_CLOSED')).toBe(false);
	});

	test('as the driver really says it', async () => {
		const silent = createServer().listen(0, '127.0.0.1');
		onTestFinished(() => void silent.close());
		await once(silent, 'listening');
		const { port } = silent.address() as AddressInfo;
		const sql = connect(`postgres://none@127.0.0.1:${port}/none`, { max: 1 });
		const failure = sql`select 1`.catch((error: unknown) => error);
		const [socket] = (await once(silent, 'connection')) as [Socket];
		await sql.end({ timeout: 0 });
		const error = await failure;
		socket.destroy();
		expect([isKnownRejection(error), (error as { code?: string }).code]).toEqual([
			true,
			'CONNECTION_DESTROYED',
		]);
	});
});
