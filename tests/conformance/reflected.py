"""gRPC stubs made from what a server tells of itself, without any generated code.

Requests and replies are plain dicts in the canonical JSON mapping, with field names as in the protos.
"""

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

# Only what runs beside us is called; a proxy in the environment is for the world outside.
CHANNEL_OPTIONS = [("grpc.enable_http_proxy", 0)]


class Refused(Exception):
    """A call that a server refused, with the details of AIP-193."""

    def __init__(self, error):
        self.code = error.code().name
        self.reason = self.domain = None
        self.fields = []
        # from_call() raises when the details belie the status.
        status = rpc_status.from_call(error)
        for detail in status.details if status else []:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(info):
                self.reason, self.domain = info.reason, info.domain
            elif detail.Unpack(bad):
                self.fields = [violation.field for violation in bad.field_violations]
        super().__init__(f"{self.code} {self.reason} {self.fields or ''}: {error.details()}")


class Server:
    """One server, known by its address only."""

    def __init__(self, address, timeout):
        self.address = address
        self.timeout = timeout
        self.channel = grpc.insecure_channel(address, options=CHANNEL_OPTIONS)
        self.database = ProtoReflectionDescriptorDatabase(self.channel)
        self.pool = DescriptorPool(self.database)

    def ready(self, patience):
        """Waits until it can be reached, and fails if that takes longer than `patience` seconds."""
        try:
            grpc.channel_ready_future(self.channel).result(timeout=patience)
        except grpc.FutureTimeoutError:
            raise RuntimeError(f"nothing answers at {self.address} within {patience:g} s; is the suite up?") from None

    def services(self):
        """The names of the services that it has."""
        return sorted(self.database.get_services())

    def methods(self, service):
        """The methods of a service, as descriptors."""
        return self.pool.FindServiceByName(service).methods

    def call(self, method, request, token=None):
        """Calls `package.Service/Method`; returns the reply, raises Refused."""
        service, name = method.split("/")
        found = self.pool.FindServiceByName(service).FindMethodByName(name)
        message = message_factory.GetMessageClass(found.input_type)()
        json_format.ParseDict(request, message, descriptor_pool=self.pool)
        stub = self.channel.unary_unary(
            f"/{method}",
            request_serializer=lambda sent: sent.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(found.output_type).FromString,
        )
        metadata = [("authorization", f"Bearer {token}")] if token else []
        try:
            reply = stub(message, timeout=self.timeout, metadata=metadata)
        except grpc.RpcError as error:
            raise Refused(error) from None
        return json_format.MessageToDict(
            reply,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
            descriptor_pool=self.pool,
        )
