"""IRIS in a namespace of its own, on volumes that no mistake of ours can delete."""

from collections.abc import Mapping, Sequence
from datetime import date

import pulumi

from components.cluster import Cluster
from components.iris.forms import Storage, form_of
from components.iris.image_told import image_warnings
from components.iris.instances import Reached, reached
from components.iris.service import Entrance
from components.iris.settings import IrisSettings
from components.iris.surroundings import Neighbours, surroundings


class Iris(pulumi.ComponentResource):
    """IRIS with all that it needs: namespace, credentials, a form, Service, web gateway."""

    namespace: str
    """Namespace of everything below."""

    here: pulumi.Output[str]
    """The same, known once it exists."""

    username: str
    """A user with all rights that the program created and that the password belongs to."""

    password: pulumi.Output[str]
    """First password of that user, secret."""

    pods: Sequence[Mapping[str, str]]
    """Labels of the pod of each database."""

    hosts: Sequence[str]
    """Host name of each database; none of those whose form chooses it later."""

    members: Sequence[Mapping[str, str]]
    """The same, and where it is a mirror of all its members, not of the primary alone."""

    instances: Sequence[Reached]
    """How clients come to each database."""

    superserver: Entrance
    """How a client comes to the superserver of the first."""

    web: Entrance | None
    """How a client comes to its portal and web applications; None: there is no way."""

    def __init__(
        self,
        name: str,
        settings: IrisSettings,
        *,
        cluster: Cluster,
        storage_class: str,
        storage_ready: Sequence[pulumi.Resource],
        protect_data: bool,
        snapshot_class: str | None = None,
        peers: str | None = None,
        class_parameters: Mapping[str, str] | None = None,
        neighbours: Neighbours | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Deploy IRIS.

        Args:
            name: Prefix of every child.
            settings: Choices of the stack.
            cluster: Where it runs.
            storage_class: Name of the volume's StorageClass.
            storage_ready: What must exist before the claim, and outlive it on destroy.
            protect_data: Refuse every plan that would delete or replace claim, namespace
                or password, and leave claim and namespace where that is overridden.
            snapshot_class: Name of the VolumeSnapshotClass of the volumes; None: there is none.
            peers: Name and port of the nodes that hold copies; None: nobody to be cut off from.
            class_parameters: Parameters of the StorageClass; None: somebody else made it.
            neighbours: What is around its namespace, if there is anything.
            opts: Options of this component.
        """
        super().__init__("ha-iris:database:Iris", name, None, opts)
        for warning in image_warnings(settings, date.today()):
            pulumi.log.warn(warning, self)
        child = pulumi.ResourceOptions(parent=self, provider=cluster.provider)
        around = surroundings(
            name,
            settings,
            cluster=cluster,
            storage_ready=storage_ready,
            protect_data=protect_data,
            neighbours=neighbours or Neighbours(),
            parent=self,
        )
        running = form_of(settings)(
            name,
            settings,
            around=around,
            storage=Storage(
                storage_class,
                class_parameters,
                storage_ready,
                snapshot_class=snapshot_class,
                protect=protect_data,
                peers=peers if settings.wants_guard() else None,
            ),
            cluster=cluster,
            opts=child,
        )
        self.pods = [one.pods for one in running.instances]
        self.hosts = [one.host for one in running.instances if one.host]
        self.members = [one.members or one.pods for one in running.instances]
        self.instances = reached(
            name, settings, running=running, around=around, cluster=cluster, opts=child
        )
        self.superserver, self.web = self.instances[0].superserver, self.instances[0].web
        self.namespace = settings.namespace
        self.here = around.namespace
        self.username = settings.username
        self.password = around.credentials.password
        self.register_outputs({"namespace": self.namespace, "address": self.superserver.address})
