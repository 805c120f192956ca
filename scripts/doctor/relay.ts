/** Whether RELAY_URL leads to a Redis that this place may use. */
import { createRedisChannel } from '../../src/lib/server/relay/redis';
import { toKey } from '../../src/lib/server/relay/redis-relay';
import { RELAY_TROUBLES } from '../../src/lib/server/relay/trouble';
import { well, wrong, type Finding } from './finding';

/** Longer than a connection may take. */
const PATIENCE_MS = 5_000;

export async function examineRelay(
	url: string,
	databaseUrl: string,
	schema: string,
): Promise<Finding> {
	const channel = createRedisChannel({ url, key: toKey(databaseUrl, schema) });
	let timer: ReturnType<typeof setTimeout> | undefined;
	await new Promise<void>((resolve) => {
		timer = setTimeout(resolve, PATIENCE_MS);
		channel.start(() => {}, resolve);
	});
	clearTimeout(timer);
	const { up, trouble } = channel.state();
	await channel.stop();
	if (up && trouble === null) return well('RELAY_URL', 'Redis answers');
	return wrong(
		'RELAY_URL',
		`Redis cannot be used: ${RELAY_TROUBLES[trouble ?? 'slow']}`,
		'Instances with RELAY_ROLE=all read for themselves until it can (docs/relay.md).',
	);
}
