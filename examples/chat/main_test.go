package main

func Example() {
	main()
	// Unordered output:
	// ann reads 1: hello from ann
	// ann reads 2: hello from bob
	// bob reads 2: hello from bob
	// ann reads 3: hello from eve
	// bob reads 3: hello from eve
	// eve reads 3: hello from eve
}
