"""Running what hbir makes: the interpreters of the IR's levels, and the simulated machine."""
