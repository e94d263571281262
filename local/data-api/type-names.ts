/** Type ids that values are bound with; fixed for all servers (`pg_type.dat` of PostgreSQL). */
export const OID = {
  untyped: 0,
  bool: 16,
  bytea: 17,
  int8: 20,
  text: 25,
  float8: 701,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
} as const;

/** Name, id and id of the array type of those built-in types that the service knows without asking the catalogue. */
const BUILT_IN = `
bool 16 1000|bytea 17 1001|char 18 1002|name 19 1003|int8 20 1016|int2 21 1005|int4 23 1007|text 25 1009|oid 26 1028
json 114 199|point 600 1017|lseg 601 1018|path 602 1019|box 603 1020|polygon 604 1027|line 628 629|cidr 650 651
float4 700 1021|float8 701 1022|unknown 705 0|circle 718 719|macaddr8 774 775|money 790 791|macaddr 829 1040
inet 869 1041|bpchar 1042 1014|varchar 1043 1015|date 1082 1182|time 1083 1183|timestamp 1114 1115
timestamptz 1184 1185|interval 1186 1187|timetz 1266 1270|bit 1560 1561|varbit 1562 1563|numeric 1700 1231
record 2249 2287|void 2278 0|uuid 2950 2951|jsonb 3802 3807|int4range 3904 3905|numrange 3906 3907
tsrange 3908 3909|tstzrange 3910 3911|daterange 3912 3913|int8range 3926 3927|jsonpath 4072 4073`;

/** The type of a result column. */
export interface ColumnType {
  /** As `pg_type` has it; an array's begins with `_`. */
  readonly name: string;
  /** The name of the elements' type, of an array only. */
  readonly element: string | undefined;
  readonly isEnum: boolean;
  /** How the service names it when it refuses it. */
  readonly display: string;
}

/** Types that need no look-up in the catalogue, by id. */
export const BUILT_IN_TYPES: ReadonlyMap<number, ColumnType> = new Map(
  BUILT_IN.trim()
    .split(/[|\n]/u)
    .flatMap((entry): [number, ColumnType][] => {
      const [name = '', oid, arrayOid] = entry.split(' ');
      const display = displayName(name);
      return [
        [Number(oid), { name, element: undefined, isEnum: false, display }],
        [Number(arrayOid), { name: `_${name}`, element: name, isEnum: false, display: `${display}[]` }],
      ];
    }),
);

/** Upper case for what the service knows by itself, with two names of their own. */
function displayName(name: string): string {
  if (name === 'char') return '"CHAR"';
  return name === 'bpchar' ? 'CHAR' : name.toUpperCase();
}
