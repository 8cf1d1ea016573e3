#include "torch/architectures/kernel_attention.h"

#include "networks/kernels/worker_team.h"

namespace imgmill {
namespace {

/// A task is one head of one of n.
class Attending final : public TeamWork {
 public:
  Attending(const ConvKernels& kernels, const torch::Tensor& q, const torch::Tensor& k,
            const torch::Tensor& v, const torch::Tensor& bias, const AttentionHead& common,
            torch::Tensor& out, int threads)
      : kernels_(kernels),
        q_(q),
        k_(k),
        v_(v),
        bias_(bias),
        common_(common),
        out_(out),
        scratch_(torch::empty(
            {threads, static_cast<int64_t>(AttentionScratchFloats(common.key_count, common.features))},
            q.options())) {}

  int steps() const override { return 1; }
  int tasks(int /*step*/) const override { return static_cast<int>(q_.size(0) * q_.size(1)); }
  void Run(int /*step*/, int task, int worker) noexcept override {
    const int64_t n = task / q_.size(1), head = task % q_.size(1);
    AttentionHead on = common_;
    on.queries = Rows(q_, n, head);
    on.keys = Rows(k_, n, head);
    on.values = Rows(v_, n, head);
    if (bias_.defined())
      on.bias = {bias_.const_data_ptr<float>() + head * bias_.stride(0),
                 static_cast<size_t>(bias_.stride(1))};
    on.out = out_.data_ptr<float>() + n * out_.stride(0) + head * on.features;
    kernels_.attend(on, scratch_.data_ptr<float>() + worker * scratch_.stride(0));
  }

 private:
  static FloatRows Rows(const torch::Tensor& of, int64_t n, int64_t head) {
    return {of.const_data_ptr<float>() + n * of.stride(0) + head * of.stride(1),
            static_cast<size_t>(of.stride(2))};
  }

  const ConvKernels& kernels_;
  const torch::Tensor &q_, &k_, &v_, &bias_;
  const AttentionHead common_;
  torch::Tensor& out_;
  const torch::Tensor scratch_;
};

}  // namespace

const ConvKernels* AttentionKernels(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                    const torch::Tensor& bias) {
  if (!q.device().is_cpu() || q.scalar_type() != torch::kFloat32) return nullptr;
  for (const torch::Tensor* each : {&q, &k, &v, &bias}) {
    if (each->defined() && each->stride(-1) != 1) return nullptr;
  }
  return BestConvKernels();
}

torch::Tensor AttendOnKernels(const ConvKernels& kernels, const torch::Tensor& q, const torch::Tensor& k,
                              const torch::Tensor& v, const torch::Tensor& bias, double scale, bool causal) {
  AttentionHead on;
  on.query_count = static_cast<int>(q.size(2));
  on.key_count = static_cast<int>(k.size(2));
  on.features = static_cast<int>(q.size(3));
  on.scale = static_cast<float>(scale);
  on.causal = causal;
  torch::Tensor out = torch::empty({q.size(0), q.size(2), q.size(1) * q.size(3)}, q.options());
  on.out_stride = static_cast<size_t>(out.stride(1));
  const Team* const team = TeamScope::Current();
  Attending work(kernels, q, k, v, bias, on, out, team == nullptr ? 1 : team->threads());
  DoWithTeam(work);
  return out;
}

}  // namespace imgmill
