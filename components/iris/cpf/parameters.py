"""Parameters of the CPF that a stack file may set by name, with the limits that IRIS has."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from components.iris.cpf.line import Value
from components.settings import Settings

LONGEST_GRACE = 300
"""IRIS's own ShutdownTimeout, seconds."""
SHORTEST_SHUTDOWN = 120
"""The least that IRIS takes for it, seconds."""
JOURNAL_FILE_AND_BUFFERS_MB = 4096
"""What a journal file and the journal buffers may take together, MB."""

# Of names that are made of a setting's, only these are written in another way.
_NAMES = {"max_iris_temp_size_at_start": "MaxIRISTempSizeAtStart"}


class Section(Settings):
    """Parameters of one section. What is not given is not written, and stays as IRIS has it."""

    def lines(self) -> list[str]:
        """Lines of the section, in the order of the settings."""
        return [
            f"{self.parameter(name)}={int(value) if isinstance(value, bool) else value}"
            for name, value in self
            if value is not None
        ]

    @classmethod
    def parameter(cls, name: str) -> str:
        """Name of a setting in the CPF, such as EnsembleAutoStart."""
        alias = cls.model_fields[name].alias or name
        return _NAMES.get(name) or alias[0].upper() + alias[1:]


class ConfigSection(Section):
    """[config]: memory and tables. Caches have settings of their own (globalsMib, ...)."""

    jrnbufs: int | None = Field(default=None, ge=16, le=1024)
    """Journal buffers, MB; IRIS has 64. More is quicker, and more to lose in a crash."""

    locksiz: int | None = Field(default=None, ge=0)
    """Most that the lock table may take of the shared memory heap, bytes; 0 is no limit."""

    errlog: int | None = Field(default=None, ge=10, le=10000)
    """Entries of the error log; IRIS has 500."""

    history: int | None = Field(default=None, ge=0, le=1000)
    """Entries of the command line's memory; IRIS has 500."""

    ijcbuff: int | None = Field(default=None, ge=512, le=8192)
    """Size of a buffer between jobs, bytes; IRIS has 512."""

    ijcnum: int | None = Field(default=None, ge=0, le=256)
    """Devices between jobs; IRIS has 16."""

    nlstab: int | None = Field(default=None, ge=0, le=64)
    """Tables of national collations; IRIS has 50."""

    @field_validator("locksiz")
    @classmethod
    def _is_none_or_enough(cls, locksiz: int | None) -> int | None:
        if locksiz and locksiz < 65536:
            raise ValueError("IRIS takes 0 (no limit) or at least 65536 bytes; set one of these")
        return locksiz

    @classmethod
    def parameter(cls, name: str) -> str:
        return name


class StartupSection(Section):
    """[Startup]: what IRIS does when it starts and stops."""

    ensemble_auto_start: bool | None = None
    """Whether productions that are set to start with IRIS do; IRIS has true."""

    shutdown_timeout: int | None = Field(default=None, ge=SHORTEST_SHUTDOWN, le=100_000)
    """Seconds after which IRIS forces its stop; within terminationGracePeriodSeconds.

    Without it, the grace of the pod, at most 300: IRIS is to force its own stop before
    Kubernetes kills it. A grace below 120, the least that IRIS takes, is too short for that.
    """

    system_mode: Annotated[Value, Field(max_length=32, pattern=r"^[A-Za-z0-9]*$")] | None = None
    """Label in the portal's header: LIVE, TEST, DEVELOPMENT, FAILOVER or one of yours."""

    error_purge: int | None = Field(default=None, ge=1, le=1000)
    """Days that error globals are kept; IRIS has 30."""

    job_servers: int | None = Field(default=None, ge=0, le=2000)
    """Job servers that wait for work; IRIS has 0."""

    max_console_log_size: int | None = Field(default=None, ge=1, le=500)
    """Size of messages.log at which IRIS begins a new one, MB; IRIS has 5."""

    max_iris_temp_size_at_start: int | None = Field(default=None, ge=0, le=1_000_000)
    """Size that IRISTEMP is cut to at a start, MB; 0, as IRIS has it, cuts nothing."""


class JournalSection(Section):
    """[Journal]: how long journals stay. They lie on the volume, beside the databases."""

    file_size_limit: int | None = Field(default=None, ge=0, le=4079)
    """Size at which IRIS begins a new journal file, MB; IRIS has 1024."""

    days_before_purge: int | None = Field(default=None, ge=0, le=100)
    """Days that a journal is kept; IRIS has 2. The shorter of this and backupsBeforePurge."""

    backups_before_purge: int | None = Field(default=None, ge=0, le=10)
    """Backups known to IRIS after which a journal goes; IRIS has 2, and 0 counts days alone."""

    compress_files: bool | None = None
    """Whether a journal that is complete is compressed; IRIS has true."""

    journal_file_prefix: (
        Annotated[Value, Field(max_length=64, pattern=r"^[A-Za-z0-9]*$")] | None
    ) = None
    """Beginning of every journal's name."""

    journalcsp_session: bool | None = None
    """Whether web sessions are journalled and survive a restart; IRIS has false."""

    @field_validator("backups_before_purge")
    @classmethod
    def _purges_at_all(cls, backups: int | None, info: ValidationInfo) -> int | None:
        if backups == 0 and info.data.get("days_before_purge") == 0:
            raise ValueError(
                "with daysBeforePurge 0 as well no journal is ever purged, and they fill the "
                "volume; set one of the two to 1 or more"
            )
        return backups


class MiscellaneousSection(Section):
    """[Miscellaneous]: kept by InterSystems for old applications, all but shutDownLogErrors."""

    shut_down_log_errors: bool | None = None
    """Whether a stop looks into messages.log and the error log for errors."""

    collect_resource_stats: bool | None = None
    """Whether IRIS counts the use of its internal resources."""

    global_kill_enabled: bool | None = None
    """Whether a KILL may take a whole global."""

    log_rollback: bool | None = None
    """Whether messages.log tells of transactions that are rolled back."""

    node_name_in_pid: bool | None = None
    """Whether $JOB begins with the name of the node."""

    null_subscripts: bool | None = None
    """Whether a subscript may be empty."""

    scientific_notation: bool | None = None
    """Whether 1E5 is a number."""

    undefined: int | None = Field(default=None, ge=0, le=2)
    """What a variable without a value is: 0 an error, 1 empty with a subscript, 2 empty."""


class CpfParameters(Settings):
    """Parameters by section. Only what is given is written."""

    config: ConfigSection = ConfigSection()
    """Memory and tables."""

    startup: StartupSection = StartupSection()
    """Start and stop."""

    journal: JournalSection = JournalSection()
    """Journals."""

    miscellaneous: MiscellaneousSection = MiscellaneousSection()
    """Compatibility."""

    @field_validator("journal")
    @classmethod
    def _fits_beside_its_buffers(
        cls, journal: JournalSection, info: ValidationInfo
    ) -> JournalSection:
        config = info.data.get("config")
        both = (journal.file_size_limit or 1024) + ((config and config.jrnbufs) or 64)
        if both > JOURNAL_FILE_AND_BUFFERS_MB:
            raise ValueError(
                f"fileSizeLimit and config.jrnbufs are {both} MB together, and IRIS takes "
                f"{JOURNAL_FILE_AND_BUFFERS_MB}; lower one of them"
            )
        return journal

    def sections(self, *, grace_seconds: int) -> dict[str, list[str]]:
        """Lines by section, under the true names of the sections.

        Args:
            grace_seconds: what the pod has for a clean stop.
        """
        startup = self.startup
        if startup.shutdown_timeout is None and grace_seconds >= SHORTEST_SHUTDOWN:
            startup = startup.model_copy(
                update={"shutdown_timeout": min(grace_seconds, LONGEST_GRACE)}
            )
        sections = {
            "config": self.config.lines(),
            "Startup": startup.lines(),
            "Journal": self.journal.lines(),
            "Miscellaneous": self.miscellaneous.lines(),
        }
        return {name: lines for name, lines in sections.items() if lines}
