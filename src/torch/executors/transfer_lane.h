// One thread's way to an accelerator and back. Its copies have a queue of their own on the device, beside the
// one that computes: while another thread's batch is computed, this one's comes and goes.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <span>

#include "torch/executors/staging.h"
#include "torch/torch_headers.h"

namespace imgmill {

/// Holds a block for a batch's input and one for its output on the device, and page-locked ones on the host:
/// the input's, and two for pieces of the output. All are kept from batch to batch and grown where they must.
/// One thread's at a time, save for Arrived and Computed, which are for the thread that computes.
class TransferLane {
 public:
  explicit TransferLane(c10::Device device);
  /// What is still under way reads and writes the blocks.
  ~TransferLane();
  TransferLane(const TransferLane&) = delete;
  TransferLane& operator=(const TransferLane&) = delete;

  /// Room on the host for a batch's input. Waits for what a batch that failed has left under way.
  std::span<std::byte> Input(size_t bytes);
  /// Sends what was put there. @return the block on the device, of bytes, which holds it after Arrived
  torch::Tensor Send();
  /// A block on the device for the batch's output, of bytes.
  torch::Tensor Output(size_t bytes);

  /// What is given to the queue that computes from now on waits for the input.
  void Arrived();
  /// What was given to it until now is what Receive waits for.
  void Computed();

  /// Is given the bytes of an image from `offset` on.
  using Take = std::function<void(size_t image, size_t offset, std::span<const std::byte> bytes)>;
  /// Brings `count` images of `bytes` each from the output's block in pieces, and a few values from a tensor
  /// beside it. While a piece is on its way to one block of the host, the one before it leaves the other.
  /// @param beside  on the device; what it comes to is returned
  torch::Tensor Receive(size_t count, size_t bytes, const torch::Tensor& beside, const Take& take);

  /// What the page-locked blocks are charged as.
  static size_t HostBytes(size_t input_bytes, size_t image_bytes) {
    return Staging::ChargeFor(input_bytes) +
           2 * Staging::ChargeFor(image_bytes < kPiece ? image_bytes : kPiece);
  }

 private:
  static constexpr size_t kPiece = size_t{8} << 20;

  torch::Tensor Block(torch::Tensor& held, size_t bytes);

  const c10::Device device_;
  const c10::Stream computing_;
  const c10::Stream copying_;  ///< the same one where the device has no other
  Staging input_;
  std::array<Staging, 2> output_;
  torch::Tensor staged_, device_input_, device_output_;
  c10::Event made_, sent_, computed_;
  std::array<c10::Event, 2> received_;
};

}  // namespace imgmill
