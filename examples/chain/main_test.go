package main

func Example() {
	main()
	// Output:
	// alice: inserted
	// alice: inserted
	// bob: inserted
	// bob: refreshed
	// alice: "hello" under e000, 30 hops left
	// bob: "hello" under e000, 30 hops left
}
