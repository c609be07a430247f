"""Writes places.mmdb, the place database of the tests: `pip install mmdb-writer && python3 places.py`.

It places documentation networks (RFC 5737, RFC 3849) and the loopback network at cities of our choice;
names and GeoNames ids are facts.
"""
from pathlib import Path

from mmdb_writer import MMDBWriter
from netaddr import IPSet


def place(country, region, region_name, city, city_name):
    return {
        "country": {"iso_code": country},
        "subdivisions": [{"iso_code": region, "names": {"en": region_name}}],
        "city": {"geoname_id": city, "names": {"en": city_name}},
    }


BERLIN = place("DE", "BE", "Berlin", 2950159, "Berlin")
PARIS = place("FR", "IDF", "Île-de-France", 2988507, "Paris")
BOSTON = place("US", "MA", "Massachusetts", 4930956, "Boston")

writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="GeoLite2-City", int_type="u32",
                    description="Places for the tests of Passerby")
writer.insert_network(IPSet(["127.0.0.0/8", "192.0.2.0/24", "2001:db8::/48"]), BERLIN)
writer.insert_network(IPSet(["198.51.100.0/24"]), PARIS)
writer.insert_network(IPSet(["203.0.113.0/24"]), BOSTON)
writer.insert_network(IPSet(["2001:db8:1::/48"]), {"country": {"iso_code": "CH"}})
writer.to_db_file(Path(__file__).parent / "places.mmdb")
