"""What alembic runs around the revisions: they take part in the transaction of who calls it."""

from alembic import context

from league.store.upgrade import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
