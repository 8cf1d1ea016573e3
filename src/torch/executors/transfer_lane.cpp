#include "torch/executors/transfer_lane.h"

#include <c10/core/StreamGuard.h>

#include <algorithm>

namespace imgmill {
namespace {

c10::Stream QueueOf(c10::Device device) {
  return c10::impl::VirtualGuardImpl(device.type()).getDefaultStream(device);
}

c10::Stream AnotherQueue(c10::Device device) {
  try {
    return c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
  } catch (const c10::Error&) {
    return QueueOf(device);  // MPS has one for all
  }
}

}  // namespace

TransferLane::TransferLane(c10::Device device)
    : device_(device),
      computing_(QueueOf(device)),
      copying_(AnotherQueue(device)),
      made_(device.type()),
      sent_(device.type()),
      computed_(device.type()),
      received_{c10::Event(device.type()), c10::Event(device.type())} {}

TransferLane::~TransferLane() {
  try {
    copying_.synchronize();
  } catch (const std::exception&) {  // a lost device has nothing under way
  }
}

torch::Tensor TransferLane::Block(torch::Tensor& held, size_t bytes) {
  const auto count = static_cast<int64_t>(bytes);
  if (!held.defined() || held.numel() < count) {
    const c10::StreamGuard queue(computing_);  // all memory of the device belongs to that queue
    held = torch::Tensor();
    held = torch::empty({count}, torch::TensorOptions().dtype(torch::kUInt8).device(device_));
    // Whoever had that memory before may not be through with it.
    made_.record(computing_);
    made_.block(copying_);
  }
  return held.narrow(0, 0, count);
}

std::span<std::byte> TransferLane::Input(size_t bytes) {
  copying_.synchronize();
  staged_ = input_.Bytes(bytes);
  return {reinterpret_cast<std::byte*>(staged_.mutable_data_ptr<uint8_t>()), bytes};
}

torch::Tensor TransferLane::Send() {
  torch::Tensor block = Block(device_input_, static_cast<size_t>(staged_.numel()));
  const c10::StreamGuard queue(copying_);
  block.copy_(staged_, /*non_blocking=*/true);
  sent_.record(copying_);
  return block;
}

torch::Tensor TransferLane::Output(size_t bytes) {
  return Block(device_output_, bytes);
}

void TransferLane::Arrived() {
  sent_.block(computing_);
}

void TransferLane::Computed() {
  computed_.record(computing_);
}

torch::Tensor TransferLane::Receive(size_t count, size_t bytes, const torch::Tensor& beside,
                                    const Take& take) {
  const c10::StreamGuard queue(copying_);
  computed_.block(copying_);
  torch::Tensor values = beside.to(torch::kCPU);
  struct Piece {
    size_t image = 0, offset = 0;
    torch::Tensor staged;
  };
  std::array<Piece, 2> pieces;
  size_t next = 0;
  const auto arrived = [&](size_t number) {
    const Piece& piece = pieces[number % 2];
    received_[number % 2].synchronize();
    take(piece.image, piece.offset,
         {reinterpret_cast<const std::byte*>(piece.staged.const_data_ptr<uint8_t>()), piece.staged.nbytes()});
  };
  for (size_t i = 0; i < count; ++i) {
    for (size_t offset = 0; offset < bytes; offset += kPiece, ++next) {
      const size_t size = std::min(kPiece, bytes - offset);
      Piece& piece = pieces[next % 2];
      piece = {i, offset, output_[next % 2].Bytes(size)};
      piece.staged.copy_(
          device_output_.narrow(0, static_cast<int64_t>(i * bytes + offset), static_cast<int64_t>(size)),
          /*non_blocking=*/true);
      received_[next % 2].record(copying_);
      if (next > 0) arrived(next - 1);
    }
  }
  if (next > 0) arrived(next - 1);
  return values;
}

}  // namespace imgmill
