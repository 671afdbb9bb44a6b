"""The miniature's architecture, its starting weights, and the forward pass that training needs.

The model is transformers' own `Sam3Model` with a tiny configuration. Training runs
its parts by itself: several questions share one picture's features, denoising
queries run beside the learned ones, and masks are made only where a loss wants them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import transformers.models.sam3.modeling_sam3 as sam3
from torch import nn
from torch.nn import functional
from transformers import Sam3Config, Sam3Model
from vocabulary import END, PAD, START
from world import SIDE

from sam3_onnx.export.operators.roi_align import roi_align

QUERIES = 48
WIDTH = 64
GRID = SIDE // 14
HEADS = 4


class _Ops:
    roi_align = staticmethod(roi_align)


class _Torchvision:
    ops = _Ops


sam3.torchvision = _Torchvision  # the one function of torchvision that the architecture calls


def make_config(vocabulary_size: int) -> Sam3Config:
    """The tiny configuration: 2.2 million parameters, 224 x 224 pixels, 16 x 16 tokens."""
    detr = {"hidden_size": WIDTH, "num_attention_heads": HEADS, "intermediate_size": 192, "dropout": 0.0}
    backbone = {
        "model_type": "sam3_vit_model",
        "hidden_size": 128,
        "intermediate_size": 384,
        "num_hidden_layers": 6,
        "num_attention_heads": 4,
        "image_size": SIDE,
        "patch_size": 14,
        "window_size": 8,
        "global_attn_indexes": [2, 5],
        "pretrain_image_size": SIDE,
    }
    return Sam3Config(
        vision_config={
            "model_type": "sam3_vision_model",
            "fpn_hidden_size": WIDTH,
            "backbone_feature_sizes": [[4 * GRID, 4 * GRID], [2 * GRID, 2 * GRID], [GRID, GRID]],
            "backbone_config": backbone,
        },
        text_config={
            "model_type": "clip_text_model",
            "vocab_size": vocabulary_size,
            "hidden_size": WIDTH,
            "intermediate_size": 4 * WIDTH,
            "projection_dim": WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": HEADS,
            "max_position_embeddings": 32,
            "hidden_act": "gelu",
            "bos_token_id": START,
            "eos_token_id": END,
            "pad_token_id": PAD,
        },
        geometry_encoder_config={**detr, "num_layers": 1, "roi_size": 7},
        detr_encoder_config={**detr, "num_layers": 2},
        detr_decoder_config={**detr, "num_layers": 3, "num_queries": QUERIES},
        mask_decoder_config={"hidden_size": WIDTH, "num_attention_heads": HEADS, "num_upsampling_stages": 2},
    )


def build(vocabulary_size: int) -> Sam3Model:
    """An untrained miniature with the starting weights that make it learn quickly."""
    torch.manual_seed(0)
    config = make_config(vocabulary_size)
    config._attn_implementation = "sdpa"  # noqa: SLF001 - transformers has no public setter for nested configs
    model = Sam3Model(config)
    _start_weights(model)
    _start_looking_inside_boxes(model.detr_decoder)
    return model


def _start_weights(model: Sam3Model) -> None:
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.reset_parameters()
    decoder = model.detr_decoder
    for layer in (decoder.box_head.layer3, decoder.presence_head.layer3):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    nn.init.normal_(decoder.query_embed.weight, std=1.0)
    nn.init.normal_(decoder.presence_token.weight, std=1.0)
    columns = math.ceil(math.sqrt(QUERIES))
    rows = math.ceil(QUERIES / columns)
    boxes = [((i % columns + 0.5) / columns, (i // columns + 0.5) / rows, 0.16, 0.16) for i in range(QUERIES)]
    decoder.reference_points.weight.data.copy_(torch.logit(torch.tensor(boxes).clamp(0.02, 0.98)))
    embeddings = (
        model.text_encoder.text_model.embeddings
        if hasattr(model.text_encoder, "text_model")
        else model.text_encoder.embeddings
    )
    nn.init.normal_(embeddings.token_embedding.weight, std=0.5)
    nn.init.normal_(embeddings.position_embedding.weight, std=0.1)
    nn.init.normal_(model.geometry_encoder.label_embed.weight, std=0.5)
    nn.init.normal_(model.geometry_encoder.cls_embed.weight, std=0.5)
    nn.init.normal_(model.vision_encoder.backbone.embeddings.position_embeddings, std=0.1)


def _start_looking_inside_boxes(decoder: nn.Module) -> None:
    """Starts the box-relative position bias as: look inside your reference box, three heads more or less strictly."""
    for embed in (decoder.box_rpb_embed_x, decoder.box_rpb_embed_y):
        with torch.no_grad():
            embed.layer1.weight[0] = torch.tensor([-1.0, 0.0])
            embed.layer1.weight[1] = torch.tensor([0.0, 1.0])
            embed.layer1.bias[:2] = 0.0
            embed.layer2.weight.mul_(0.2)
            for head, strength in enumerate((12.0, 8.0, 4.0, 0.0)):
                embed.layer2.weight[head, :2] = -strength


@dataclass
class Answers:
    """What the model says to P questions; L decoder layers, Q learned and D denoising queries."""

    queries: torch.Tensor
    """(L, P, Q + D, C) normalised decoder states."""
    boxes: torch.Tensor
    """(L, P, Q + D, 4) cxcywh in 0..1."""
    logits: torch.Tensor
    """(L, P, Q + D)."""
    presence: torch.Tensor
    """(L, P)."""
    tokens: torch.Tensor
    """(P, GRID * GRID, C) encoded picture tokens."""
    exemplars: torch.Tensor
    """(P, N, C) encoded boxes."""
    pixels: torch.Tensor
    """(S, C, 4 GRID, 4 GRID) embeddings of pixels, for the S questions that get masks."""
    semantic: torch.Tensor
    """(S, 4 GRID, 4 GRID) logits."""


def normalised(pictures: torch.Tensor) -> torch.Tensor:
    """(B, 3, H, W) uint8 to float in -1..1."""
    return pictures.float() / 127.5 - 1


def picture_features(model: Sam3Model, pictures: torch.Tensor) -> list[torch.Tensor]:
    """Features of (B, 3, SIDE, SIDE) uint8 pictures: strides 3.5, 7 and 14, fp32."""
    hidden = model.vision_encoder.backbone(pixel_values=normalised(pictures)).last_hidden_state
    hidden = hidden.view(len(pictures), GRID, GRID, -1).permute(0, 3, 1, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        levels = [layer(hidden) for layer in list(model.vision_encoder.neck.fpn_layers)[:3]]
    return [level.float() for level in levels]


def _attend(
    layer: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None = None
) -> torch.Tensor:
    batch, length, _ = query.shape

    def split(projected: torch.Tensor) -> torch.Tensor:
        return projected.view(batch, -1, layer.num_attention_heads, layer.head_dim).transpose(1, 2)

    heads = split(layer.q_proj(query)), split(layer.k_proj(key)), split(layer.v_proj(value))
    if mask is not None and mask.dtype != torch.bool:
        weights = torch.softmax(heads[0] @ heads[1].transpose(2, 3) * layer.scaling + mask, -1)
        attended = weights @ heads[2]
    else:
        attended = functional.scaled_dot_product_attention(*heads, attn_mask=mask)
    return layer.o_proj(attended.transpose(1, 2).reshape(batch, length, -1))


def _prompt_tokens(
    model: Sam3Model,
    words: torch.Tensor,
    boxes: torch.Tensor,
    labels: torch.Tensor,
    coarse: torch.Tensor,
    places: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    known = words != PAD
    text = model.text_projection(model.text_encoder(input_ids=words, attention_mask=known.long()).last_hidden_state)
    shown = model.geometry_encoder(
        box_embeddings=boxes,
        box_mask=labels != -10,
        box_labels=labels.clamp(min=0),
        img_feats=(coarse,),
        img_pos_embeds=(places,),
    )
    exemplars = shown.last_hidden_state
    return (
        torch.cat([text, exemplars], 1),
        torch.cat([known, shown.attention_mask.bool()], 1),
        exemplars[:, : boxes.shape[1]],
    )


def _encode(
    model: Sam3Model, tokens: torch.Tensor, places: torch.Tensor, prompt: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    for layer in model.detr_encoder.layers:
        normed = layer.layer_norm1(tokens)
        tokens = tokens + _attend(layer.self_attn, normed + places, normed + places, normed)
        across = mask.expand(-1, -1, tokens.shape[1], -1)
        tokens = tokens + _attend(layer.cross_attn, layer.layer_norm2(tokens), prompt, prompt, across)
        tokens = tokens + layer.mlp(layer.layer_norm3(tokens))
    return tokens


def answer(
    model: Sam3Model,
    features: list[torch.Tensor],
    words: torch.Tensor,
    boxes: torch.Tensor,
    labels: torch.Tensor,
    masked: torch.Tensor,
    noisy_boxes: torch.Tensor | None = None,
    noisy_queries: torch.Tensor | None = None,
) -> Answers:
    """Answers K questions about each of B pictures (P = B * K, picture by picture).

    Args:
        model: The miniature.
        features: From `picture_features`.
        words: (P, CONTEXT) int64 ids of the small table.
        boxes: (P, N, 4) cxcywh in 0..1.
        labels: (P, N) int64; 1, 0, or -10 for an empty slot.
        masked: (S,) indices of questions that get masks, the same number for each picture.
        noisy_boxes: (P, D, 4) reference boxes of denoising queries.
        noisy_queries: (P, D) which learned query each denoising query starts as.
    """
    fine, middle, coarse = features
    pictures, questions = len(coarse), len(words)
    each = questions // pictures
    repeated = coarse[:, None].expand(-1, each, -1, -1, -1).flatten(0, 1)
    places2d = model.vision_encoder.neck.position_encoding((1, *coarse.shape[1:]), coarse.device, torch.float32)
    places = places2d.flatten(2).transpose(1, 2)
    prompt, prompt_mask, exemplars = _prompt_tokens(
        model, words, boxes, labels, repeated, places2d.expand(questions, -1, -1, -1)
    )
    key_mask = prompt_mask[:, None, None, :]
    tokens = _encode(model, repeated.flatten(2).transpose(1, 2), places, prompt, key_mask)

    decoder = model.detr_decoder
    learned = decoder.query_embed.weight.expand(questions, -1, -1)
    references = decoder.reference_points.weight.sigmoid().expand(questions, -1, -1)
    state = torch.cat([decoder.presence_token.weight.expand(questions, -1, -1), learned], 1)
    own = state.shape[1]
    if noisy_boxes is not None:
        state = torch.cat([state, decoder.query_embed.weight[noisy_queries]], 1)
        references = torch.cat([references, noisy_boxes], 1)
    keys = tokens + places
    states, all_boxes, presences = [], [], []
    for layer in decoder.layers:
        where = functional.pad(decoder.ref_point_head(decoder.position_encoding.encode_boxes(references)), (0, 0, 1, 0))
        bias = functional.pad(decoder._get_rpb_matrix(references, coarse.shape[-2:]), (0, 0, 1, 0))  # noqa: SLF001
        mine = state[:, :own]
        mine = mine + _attend(layer.self_attn, mine + where[:, :own], mine + where[:, :own], mine)
        state = layer.self_attn_layer_norm(torch.cat([mine, state[:, own:]], 1))
        across = key_mask.expand(-1, -1, state.shape[1], -1)
        state = layer.text_cross_attn_layer_norm(
            state + _attend(layer.text_cross_attn, state + where, prompt, prompt, across)
        )
        state = layer.vision_cross_attn_layer_norm(
            state + _attend(layer.vision_cross_attn, state + where, keys, tokens, bias)
        )
        state = layer.mlp_layer_norm(state + layer.mlp(state))
        normed = decoder.output_layer_norm(state[:, 1:])
        refined = (decoder.box_head(normed) + sam3.inverse_sigmoid(references)).sigmoid()
        references = refined.detach()
        states.append(normed)
        all_boxes.append(refined)
        presence = decoder.presence_head(decoder.presence_layer_norm(state[:, :1]))
        presences.append(presence.flatten().clamp(-10, 10))
    queries = torch.stack(states)
    logits = model.dot_product_scoring(queries, prompt, prompt_mask).squeeze(-1)
    pixels, semantic = _pixel_embeddings(model, (fine, middle), tokens[masked], prompt[masked], key_mask[masked])
    return Answers(queries, torch.stack(all_boxes), logits, torch.stack(presences), tokens, exemplars, pixels, semantic)


def _pixel_embeddings(
    model: Sam3Model,
    levels: tuple[torch.Tensor, torch.Tensor],
    tokens: torch.Tensor,
    prompt: torch.Tensor,
    mask: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    head = model.mask_decoder
    across = mask.expand(-1, -1, tokens.shape[1], -1)
    tokens = tokens + _attend(head.prompt_cross_attn, head.prompt_cross_attn_norm(tokens), prompt, prompt, across)
    image = tokens.transpose(1, 2).reshape(len(tokens), -1, GRID, GRID)
    each = len(tokens) // len(levels[0])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        image = image.bfloat16()
        for index, level in enumerate((levels[1], levels[0])):
            image = functional.interpolate(image, size=level.shape[-2:], mode="nearest")
            image = image + level.bfloat16()[:, None].expand(-1, each, -1, -1, -1).flatten(0, 1)
            image = head.pixel_decoder.conv_layers[index](image)
            norm = head.pixel_decoder.norms[index]
            weight, bias = norm.weight.to(image.dtype), norm.bias.to(image.dtype)
            image = functional.relu(functional.group_norm(image, norm.num_groups, weight, bias, norm.eps))
        return head.instance_projection(image), head.semantic_projection(image)[:, 0].float()


def masks_of(
    model: Sam3Model, answers: Answers, rows: torch.Tensor, questions: torch.Tensor, queries: torch.Tensor
) -> torch.Tensor:
    """Mask logits (M, 4 GRID, 4 GRID) of M (question, query) pairs; `rows` are their places in `answers.pixels`."""
    embedded = model.mask_decoder.mask_embedder(answers.queries[-1][questions, queries])
    counts = torch.bincount(rows, minlength=len(answers.pixels))
    starts = torch.cumsum(counts, 0) - counts
    order = torch.argsort(rows, stable=True)
    slots = torch.empty_like(rows)
    slots[order] = torch.arange(len(rows)) - starts[rows[order]]
    pixels = answers.pixels
    padded = pixels.new_zeros(len(pixels), int(counts.max()), embedded.shape[-1])
    padded = padded.index_put((rows, slots), embedded.to(pixels.dtype))
    products = torch.bmm(padded, pixels.flatten(2))
    return products[rows, slots].view(-1, *pixels.shape[-2:]).float()
