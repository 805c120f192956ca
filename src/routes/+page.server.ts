export { loadFirstFigures as load } from '$lib/server/first-figures';
