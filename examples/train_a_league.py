"""Trains a small league of tic-tac-toe, and reads what it has recorded."""

import dataclasses

import league


def show(event: league.GenerationEvent | league.PhaseEvent) -> None:
    """Called by the trainer with every event; a generation is one, each phase of it another."""
    if isinstance(event, league.GenerationEvent):
        print(dataclasses.asdict(event))


def main(generations: int = 3) -> None:
    """Trains, then prints ratings and what there is to learn from."""
    measure = league.MeasureConfig(baseline_pairs=16, simulations=8, rollouts=20)
    config = league.default_config(
        "tic_tac_toe", generations=generations, pairs=32, slots=32, measure=measure
    )
    with league.train("tic_tac_toe", config, name="example", callback=show) as run:
        ratings = run.ratings()  # columns; pandas.DataFrame(ratings) makes a table of them
        for row in zip(ratings["id"], ratings["elo"], ratings["half_width"], strict=True):
            print("snapshot {}: {:.0f} ± {:.0f} Elo".format(*row))
        measured = run.matches("uniform", "mcts")
        print(f"{measured['wins'].sum()} wins against opponents that training never meets")
        data = run.dataset(generations)  # a NamedTuple of arrays [N, ...]
        print(f"the last generation gave a dataset of the fields {', '.join(data._fields)}")


if __name__ == "__main__":
    main()
