"""Whether a run's record holds what a run writes.

The constraints of `schema.py` refuse most else, but not to one who turns them off, and some of it
lies in several rows.
"""

import json

import sqlalchemy as sql

from league.store.schema import EVENTS, EXPLOITERS, MATCHES, PAIRS, SNAPSHOTS

_BETWEEN_SNAPSHOTS = ("train", "exploiter", "measure", "rate")
"""Roles of matches in which both agents are snapshots of the run."""

_LISTS = ("alarms",)
_GROUPS = ("phase_seconds", "passes", "judged", "imitated")
"""Figures of a generation that are no numbers: lists of lines, and numbers by name."""


def fault(connection: sql.Connection, *, run: int) -> str:
    """What is wrong first with a run's rows, in words; empty if nothing is."""
    if connection.dialect.name == "sqlite" and (
        found := _broken(connection) or _orphan(connection)
    ):
        return found
    for find in (_snapshots, _agents, _empty_matches, _figures):
        if found := find(connection, run):
            return found
    return ""


def _broken(connection: sql.Connection) -> str:
    """A damaged page, or a row that breaks a constraint of its table."""
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    return "" if found == "ok" else str(found)


def _orphan(connection: sql.Connection) -> str:
    found = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    return f"a row of {found[0]} without its row in {found[2]}" if found else ""


def _snapshots(connection: sql.Connection, run: int) -> str:
    """A gap among the main agent's snapshots, of which every generation has one."""
    count, newest = connection.execute(
        sql.select(sql.func.count(), sql.func.max(SNAPSHOTS.c.id)).where(SNAPSHOTS.c.run == run)
    ).one()
    return f"it lacks a snapshot below {newest}" if count and count != newest + 1 else ""


def _agents(connection: sql.Connection, run: int) -> str:
    """A match among snapshots with one that there is not."""
    known = sql.union(
        sql.select(sql.cast(SNAPSHOTS.c.id, sql.String)).where(SNAPSHOTS.c.run == run),
        sql.select(EXPLOITERS.c.id).where(EXPLOITERS.c.run == run),
    ).subquery()
    ids = sql.select(known.c[0])
    within = MATCHES.c.role.in_(_BETWEEN_SNAPSHOTS)
    # An exploiter that trains is no snapshot yet; nor is an agent from outside the run.
    wrong = sql.or_(
        sql.and_(MATCHES.c.role != "exploit", MATCHES.c.a.not_in(ids)),
        sql.and_(sql.or_(within, MATCHES.c.role == "exploit"), MATCHES.c.b.not_in(ids)),
    )
    query = sql.select(MATCHES.c.id, MATCHES.c.a, MATCHES.c.b)
    query = query.where(MATCHES.c.run == run, wrong).limit(1)
    found = connection.execute(query).first()
    return f"match {found.id}, {found.a} against {found.b}, of no such snapshots" if found else ""


def _empty_matches(connection: sql.Connection, run: int) -> str:
    played = sql.select(PAIRS.c.match).where(PAIRS.c.run == run)
    query = sql.select(MATCHES.c.id).where(MATCHES.c.run == run, MATCHES.c.id.not_in(played))
    found = connection.execute(query.limit(1)).scalar()
    return f"match {found} without games" if found is not None else ""


def _figures(connection: sql.Connection, run: int) -> str:
    """A generation's figures that are no figures."""
    query = sql.select(EVENTS.c.id, sql.cast(EVENTS.c.body, sql.String)).order_by(EVENTS.c.id)
    query = query.where(EVENTS.c.run == run)
    for number, body in connection.execute(query):
        try:
            proper = _proper(json.loads(body))
        except (ValueError, RecursionError):
            proper = False
        if not proper:
            return f"event {number} has no proper body"
    return ""


def _proper(body: object) -> bool:
    if not (isinstance(body, dict) and _whole(body.get("generation"))):
        return False
    return all(_fits(name, value) for name, value in body.items())


def _fits(name: str, value: object) -> bool:
    if name in _LISTS:
        return isinstance(value, list) and all(isinstance(line, str) for line in value)
    if name in _GROUPS:
        return isinstance(value, dict) and all(map(_number, value.values()))
    return value is None or _number(value)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: object) -> bool:
    return _number(value) and isinstance(value, int) and value >= 0
