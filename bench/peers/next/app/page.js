export default function Page() {
	return <p>The peer of the benchmarks.</p>;
}
