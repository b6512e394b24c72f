"""WeaHouse: a Kappa weather analytics platform."""
