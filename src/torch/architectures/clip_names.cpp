#include "torch/architectures/clip_names.h"

#include "networks/weights/weight_file.h"

namespace imgmill {

VitNames OpenAiBlockNames() {
  return {.norm1 = "ln_1",
          .norm2 = "ln_2",
          .qkv_weight = "attn.in_proj_weight",
          .qkv_bias = "attn.in_proj_bias",
          .out = "attn.out_proj",
          .up = "mlp.c_fc",
          .down = "mlp.c_proj"};
}

VitNames HuggingFaceBlockNames() {
  return {.norm1 = "layer_norm1",
          .norm2 = "layer_norm2",
          .query = "self_attn.q_proj",
          .key = "self_attn.k_proj",
          .value = "self_attn.v_proj",
          .out = "self_attn.out_proj",
          .up = "mlp.fc1",
          .down = "mlp.fc2"};
}

Result<VitActivation> ClipActivation(const StateDict& weights, bool hugging_face, std::string& assumed) {
  const bool numbers = weights.Find("input_resolution") != nullptr;
  const bool quick = hugging_face || numbers;
  const auto told = weights.metadata.find("activation");
  if (told == weights.metadata.end()) {
    if (!numbers) assumed = quick ? "activation quickgelu" : "activation gelu";
    return quick ? VitActivation::kQuickGelu : VitActivation::kGelu;
  }
  if (told->second != "gelu" && told->second != "quickgelu")
    return WeightError("its activation is \"" + told->second + "\", neither gelu nor quickgelu");
  return told->second == "gelu" ? VitActivation::kGelu : VitActivation::kQuickGelu;
}

void PassOverClipNumbers(Layers& layers) {
  for (const char* name :
       {"logit_scale", "logit_bias", "input_resolution", "context_length", "vocab_size", "attn_mask"})
    layers.PassOver(name);
  layers.PassOverAll(".position_ids");
}

}  // namespace imgmill
