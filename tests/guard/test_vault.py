"""Personal data: sealed, read, purged so that no file gives it back."""

import os
import shutil
import sqlite3

import pytest

from postroad.core.errors import InputError, LedgerError, NotFound
from postroad.guard import ciphers
from postroad.guard.ciphers import CIPHERS, Sealer
from postroad.guard.party import Party
from postroad.guard.vault import MASTER_NAME, Vault

PARTY = Party(name="测试甲", phone="13800000000", address="某市某区某路1号2单元303室")
OTHER = Party(name="Testperson Beta")


@pytest.mark.parametrize("cipher", CIPHERS)
def test_seal_and_read(tmp_path, cipher):
    with Vault(tmp_path, cipher=cipher) as vault:
        first, second = vault.seal([PARTY, OTHER])
        assert vault.read(first) == PARTY
        assert vault.read(second) == OTHER
        assert len(vault) == 2
    with Vault(tmp_path) as again:
        assert again.read(first) == PARTY


def test_pseudonyms_say_nothing(tmp_path):
    with Vault(tmp_path) as vault:
        one, two = vault.seal([PARTY, PARTY])
    assert one != two


def test_no_file_holds_what_was_sealed(tmp_path):
    with Vault(tmp_path) as vault:
        vault.seal([PARTY])
        held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for text in (PARTY.name, PARTY.phone, PARTY.address):
        assert text.encode() not in held


def test_files_are_for_their_owner_only(tmp_path):
    with Vault(tmp_path / "new") as vault:
        vault.seal([PARTY])
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()} == {0o600}


def test_change(tmp_path):
    with Vault(tmp_path) as vault:
        [party_id] = vault.seal([PARTY])
        vault.change(party_id, OTHER)
        assert vault.read(party_id) == OTHER
        with pytest.raises(NotFound) as refusal:
            vault.change("nobody", OTHER)
    assert refusal.value.code == "PR-K105"


def test_after_a_purge_all_files_together_give_nothing(tmp_path):
    """Whoever has every file, an older copy of the data and of the parties' keys among them, has no key that opens."""
    folder, copy = tmp_path / "vault", tmp_path / "copy"
    with Vault(folder) as vault:
        purged, kept = vault.seal([PARTY, OTHER])
        copy.mkdir()
        for name in ("vault.db", "keys.db"):
            shutil.copy(folder / name, copy / name)
        old_master = (folder / MASTER_NAME).read_bytes()
        assert vault.purge([purged, "nobody"]) == 1
        assert vault.purge([purged]) == 0
        with pytest.raises(NotFound) as refusal:
            vault.read(purged)
        assert refusal.value.code == "PR-K106"
        assert vault.read(kept) == OTHER
    key = bytes.fromhex(old_master.split()[1].decode())
    assert key not in b"".join(path.read_bytes() for path in folder.iterdir())
    # The copy's keys under every key that is left: none opens.
    left = [bytes.fromhex(line.split()[1]) for line in (folder / MASTER_NAME).read_text().splitlines()]
    for database in (copy / "keys.db", folder / "keys.db"):
        rows = sqlite3.connect(database).execute("SELECT wrapped FROM keys WHERE party_id = ?", (purged,)).fetchall()
        for wrapped in rows:
            for master in left:
                with pytest.raises(InputError) as shut:
                    Sealer("aes-256-gcm").open(master, wrapped[0], purged.encode())
                assert shut.value.code == "PR-K103"
    shutil.copy(folder / MASTER_NAME, copy / MASTER_NAME)
    with pytest.raises((LedgerError, InputError)), Vault(copy) as restored:
        restored.read(purged)


def test_the_old_master_key_is_overwritten_where_it_stood(tmp_path):
    with Vault(tmp_path) as vault:
        [party_id] = vault.seal([PARTY])
        with (tmp_path / MASTER_NAME).open("rb") as held:
            assert any(held.read())
            vault.purge([party_id])
            held.seek(0)
            assert not any(held.read())


@pytest.mark.parametrize("n_steps", range(4))
def test_a_rotation_that_was_cut_off_is_finished(tmp_path, monkeypatch, n_steps):
    """The machine stops before each of the renames and commits in turn."""
    with Vault(tmp_path) as vault:
        purged, kept = vault.seal([PARTY, OTHER])
        steps = iter(range(n_steps))
        write = Vault._write_masters

        def write_or_stop(self):
            if next(steps, None) is None:
                raise KeyboardInterrupt
            write(self)

        monkeypatch.setattr(Vault, "_write_masters", write_or_stop)
        try:
            vault.purge([purged])
        except KeyboardInterrupt:
            assert n_steps < 2
        monkeypatch.undo()
    with Vault(tmp_path) as again:
        assert again.read(kept) == OTHER
        assert len((tmp_path / MASTER_NAME).read_text().splitlines()) == 1
        assert not again._keys.execute("SELECT * FROM dues").fetchall()
        with pytest.raises(NotFound):
            again.read(purged)


def test_a_changed_byte_is_noticed(tmp_path):
    with Vault(tmp_path) as vault:
        [party_id] = vault.seal([PARTY])
        sealed = bytearray(vault._data.execute("SELECT sealed FROM parties").fetchone()[0])
        sealed[20] ^= 1
        with vault._data:
            vault._data.execute("UPDATE parties SET sealed = ?", (bytes(sealed),))
        with pytest.raises(InputError) as refusal:
            vault.read(party_id)
    assert refusal.value.code == "PR-K103"


@pytest.mark.parametrize("left", [None, b"", b"1 zz\n"])
def test_another_master_key_is_refused(tmp_path, left):
    with Vault(tmp_path) as vault:
        vault.seal([PARTY])
    os.remove(tmp_path / MASTER_NAME)
    if left is not None:
        (tmp_path / MASTER_NAME).write_bytes(left)
    with pytest.raises(LedgerError) as refusal:
        Vault(tmp_path)
    assert refusal.value.code == "PR-K104"


def test_a_master_key_may_lie_elsewhere(tmp_path):
    with Vault(tmp_path / "vault", master=tmp_path / "elsewhere.key") as vault:
        vault.seal([PARTY])
    assert not (tmp_path / "vault" / MASTER_NAME).exists()


def test_an_unknown_cipher(tmp_path):
    with pytest.raises(InputError) as refusal:
        Vault(tmp_path, cipher="rot13")
    assert refusal.value.code == "PR-K101"


def test_without_the_extra(monkeypatch):
    def no_module(name, *rest):
        raise ModuleNotFoundError(name)

    ciphers._primitives.cache_clear()
    monkeypatch.setattr(ciphers, "import_module", no_module)
    with pytest.raises(InputError) as refusal:
        Sealer("sm4-gcm")
    assert refusal.value.code == "PR-K102"
