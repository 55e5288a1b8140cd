from dataclasses import replace

import pytest

from mfagan.data.splits import EMBEDDED, read_pairs
from mfagan.deploy.tflite import litert
from mfagan.graph.costs import trace_costs
from mfagan.sr.experiments.speed.deployment import ESRGAN, PEERS, Subject, measure_deployment, random_peer
from mfagan.sr.kinds import build


def test_ratios_are_to_esrgan():
    small = {"n_blocks": 1, "features": 8}
    subjects = [
        Subject("span", build("span", small).eval(), trained=False),
        Subject(ESRGAN, build("rrdbnet", small).eval(), trained=False),
    ]
    found = measure_deployment(subjects, (16, 12), 1, read_pairs(EMBEDDED)[:1])

    *rows, quoted = found.rows
    by_name = {row[0]: row for row in rows}
    assert by_name[ESRGAN][3:6] == [1, 1, 1]
    assert by_name["span"][3] == float(str(by_name[ESRGAN][1])) / float(str(by_name["span"][1]))
    span, esrgan = (trace_costs(one.network, 16, 12) for one in subjects)
    assert by_name["span"][5] == esrgan.memory_bytes / span.memory_bytes
    assert [row[1] for row in rows] == sorted((float(str(row[1])) for row in rows), reverse=True)
    assert quoted[3:6] == [16.4, None, 8.3]
    assert all(len(row) == len(found.columns) for row in found.rows)


def test_where_the_system_does_not_tell_memory_is_a_dash(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(litert, "peak_bytes", lambda *arguments: None)
    subject = replace(random_peer("SPANV2"), name="a")
    found = measure_deployment([subject], (16, 16), 1, read_pairs(EMBEDDED)[:1])
    assert found.rows[0][6] is None
    assert not any("memory is that" in note for note in found.notes)


def test_the_peers_are_of_the_published_sizes():
    params = {name: trace_costs(random_peer(name).network, 32, 32).params for name in PEERS}
    assert params[ESRGAN] == 16_697_987
    assert params["SPAN-28"] == 150_688
    assert params["SRVGGNetCompact"] == 1_213_296
