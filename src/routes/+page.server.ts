export { loadFirstFigures as load } from './load-dashboard.server';
