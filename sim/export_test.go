package sim

// In tests small worlds, too, are run by all their workers.
func init() { few = 1 }
