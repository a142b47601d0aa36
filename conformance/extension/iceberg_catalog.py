"""What Athena's DDL of an Iceberg table does to the Glue catalogue.

CREATE TABLE makes a table of table_type ICEBERG whose columns are marked as current fields; ALTER TABLE ... ADD COLUMNS adds
more. A table or column that the executor has put there itself stays as it is. Other statements change nothing here.
"Creating Iceberg tables" and "Evolving Iceberg table schema", Amazon Athena user guide.
"""

from ministack.services import athena, glue

from extension.cloudformation import accepted


def parse(sql):
    """("create", table, columns, location, properties), ("add", table, columns) or None. Columns are Glue's: Name, Type."""
    cursor = athena._Cursor(sql)
    if cursor.keywords("alter", "table"):
        name = cursor.dotted_name(2)
        if name and cursor.keywords("add", "columns"):
            return "add", name[1], athena._column_list(cursor)
        return None
    if not cursor.keywords("create", "table"):
        return None
    cursor.keywords("if", "not", "exists")
    name = cursor.dotted_name(2)
    columns = athena._column_list(cursor) if name else []
    location, properties = None, {}
    while columns and not cursor.at_end():
        if cursor.keywords("partitioned", "by") and cursor.punct("("):
            cursor.skip_group()
        elif cursor.keywords("location"):
            location = cursor.string()
        elif cursor.keywords("tblproperties"):
            properties = athena._property_list(cursor)
        else:
            return None
    if not columns or (properties or {}).get("table_type", "").lower() != "iceberg":
        return None
    return "create", name[1], columns, location, properties


def _fields(columns, first):
    return [
        {**column, "Parameters": {"iceberg.field.current": "true", "iceberg.field.id": str(number)}}
        for number, column in enumerate(columns, first)
    ]


def apply(sql, database):
    """Brings the catalogue up to a statement that has been executed."""
    ddl = parse(sql)
    if ddl is None:
        return
    if ddl[0] == "create":
        _, name, columns, location, properties = ddl
        if f"{database}/{name}" in glue._tables:
            return
        table = {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {**properties, "EXTERNAL": "TRUE", "table_type": "ICEBERG"},
            "StorageDescriptor": {"Columns": _fields(columns, 1), "Location": location},
            "PartitionKeys": [],
        }
        accepted(glue._create_table({"DatabaseName": database, "TableInput": table}))
        return
    _, name, added = ddl
    table = glue._tables[f"{database}/{name}"]
    columns = table["StorageDescriptor"]["Columns"]
    known = {column["Name"] for column in columns}
    fresh = _fields([column for column in added if column["Name"] not in known], len(columns) + 1)
    storage = {**table["StorageDescriptor"], "Columns": [*columns, *fresh]}
    accepted(glue._update_table({"DatabaseName": database, "TableInput": {"Name": name, "StorageDescriptor": storage}}))
