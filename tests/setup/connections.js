/** With --import in a server of a test: tells how many connections browsers have to it when it is asked "connections". */
import { subscribe } from 'node:diagnostics_channel';

const open = new Set();
subscribe('net.server.socket', ({ socket }) => {
	open.add(socket);
	socket.once('close', () => open.delete(socket));
});
// those of the tests themselves stay open for a while
subscribe('http.server.request.start', ({ request, socket }) => {
	if (!request.headers['user-agent']?.startsWith('Mozilla')) open.delete(socket);
});
process.on('message', (asked) => asked === 'connections' && process.send?.(open.size));
process.channel?.unref();
