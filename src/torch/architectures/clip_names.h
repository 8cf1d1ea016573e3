// What the layouts of CLIP's files call the blocks of either tower, and which activation they have.
#pragma once

#include <string>

#include "torch/architectures/vit_blocks.h"

namespace imgmill {

/// OpenAI's and OpenCLIP's: behind "transformer.resblocks.N."
VitNames OpenAiBlockNames();
/// transformers', of SigLIP, too: behind "encoder.layers.N."
VitNames HuggingFaceBlockNames();

/// Whether the blocks have GELU or its approximation QuickGELU leaves no trace in the shapes. OpenAI trained
/// with QuickGELU; their files are known by the numbers that they keep beside the weights. Otherwise each
/// layout counts as what its own library assumes: GELU in OpenCLIP, QuickGELU in transformers. The metadata
/// "activation" (gelu, quickgelu), or the user, says otherwise.
/// @param assumed  is told what was taken as usual
Result<VitActivation> ClipActivation(const StateDict& weights, bool hugging_face, std::string& assumed);

/// Numbers and buffers beside the towers, which follow from the shapes or are not needed.
void PassOverClipNumbers(Layers& layers);

}  // namespace imgmill
